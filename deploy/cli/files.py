"""Files that commands read: a path, or - for standard input."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from schemas.contract import Contracts
from schemas.contract_files import load_all
from schemas.errors import MisconfiguredError

SHIPPED = Path(__file__).parents[1] / "policies"

Policies = Annotated[
    Path,
    typer.Option(
        "--policies",
        help="The contracts: a folder with one folder per date.",
        show_default="the shipped ones",
    ),
]


def contracts(policies: Path) -> Contracts:
    return load_all(policies)


def read(path: Path) -> bytes:
    """Return a file's bytes. Raises MisconfiguredError, one line."""
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise MisconfiguredError(
            f"{path} cannot be read: {error.strerror or type(error).__name__}."
        ) from None
