"""`samspil statistics`: the yearly release of counts, for effect measurement and the committees.

It runs as the principal `statistics`, which sees counts and no case. Whoever has its password releases (in the
embedded default: whoever can read credentials.json).
"""

from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer

from consumers.statistics.publication import page, rows
from deploy import settings
from deploy.cli import reach
from deploy.cli.console import NO, Json, answer, answer_json, note
from deploy.yearly_release import released
from schemas.errors import UsageError

Year = Annotated[int, typer.Option(min=2000, max=2999, help="A whole year that is over, on the bus's clock.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the CSV file and the page.")]

app = typer.Typer(no_args_is_help=True, help="Counts for effect measurement: one release a year.")


@app.callback()
def statistics() -> None:
    """Counts for effect measurement: one release a year."""


@app.command("release")
def release_command(year: Year, out: Out = Path(), as_json: Json = False) -> None:
    """Release the counts of a year to samspil.statistics.v1, once, and write them as CSV and as a page.

    Small numbers are hidden, all others rounded, as the page says. A year that was released stays as it is: the files
    are then written from that release. Exit code 0: released now, or the counts still give the same; 1: they would give
    another one by now, which is not released.
    """
    _require_writable(out)  # first: a release comes once
    found = reach.run(released(settings.load(), year))
    files = [
        _written(out, f"samspil-{year}.csv", rows(found.body)),
        _written(out, f"samspil-{year}.html", page(found.body)),
    ]
    if as_json:
        answer_json({"place": found.place, "new": found.new, "same": found.same, "files": files})
    else:
        answer(f"{'Released' if found.new else 'Released before'}: {found.place}")
        for file in files:
            answer(file)
    if not found.same:
        note("By now the counts would give another release. There are no revisions: the one released stands.")
        raise typer.Exit(NO)


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror or type(error).__name__}.") from None


def _written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"the year is released, but {path} cannot be written: {why}. Run it again.") from None
    return str(path)
