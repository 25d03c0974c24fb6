"""Files that commands read: a path, or - for standard input."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy import settings
from deploy.paper_log import lines_of
from schemas.contract import Contracts
from schemas.contract_files import load_all
from schemas.errors import UsageError

Policies = Annotated[
    Path | None,
    typer.Option(help="The contracts, a folder with one folder per date; else the setting SAMSPIL_POLICIES."),
]


def contracts(policies: Path | None = None) -> Contracts:
    """Return the contracts of a folder, or those that the bus would start with."""
    return load_all(policies or settings.load().policies)


def read(path: Path) -> bytes:
    """Return a file's bytes. Raises UsageError, one line."""
    if str(path).lstrip().startswith("{"):  # an event where a path belongs: it is not to be repeated
        raise UsageError("the event is given by a file, or on standard input with -, never on the command line.")
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None


def events(path: Path) -> list[tuple[int, bytes]]:
    """Return the lines of a file of events, numbered; or all of it, where it is one event. Raises UsageError."""
    if lines := list(lines_of(read(path))):
        return lines
    raise UsageError(f"{'standard input' if str(path) == '-' else path} holds nothing.")
