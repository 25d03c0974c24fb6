"""How the commands speak: answers on standard output, progress and notes on standard error.

With --json an answer is one JSON value a line, so that another program reads it as it comes.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import orjson
import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value a line on standard output, for programs.")]

FINE, NO, CANNOT = 0, 1, 2  # exit codes: it is so; the answer is no; wrong usage, or it could not be done


def answer(text: str) -> None:
    print(text, flush=True)


def answer_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def progress(text: str) -> None:
    """Show progress on one line of a terminal; elsewhere it would only fill a log."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def progress_over() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        answer("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
