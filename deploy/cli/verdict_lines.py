"""A verdict as one line: what was said, what the bus answers, and why."""

from collections.abc import Iterable
from typing import Any

from deploy.cli.console import answer, answer_json
from deploy.cli.reasons import MEANINGS


def tell(verdict: dict[str, Any], line: int | None = None, *, as_json: bool) -> None:
    """Print a verdict; `line` is where its event stands in the file."""
    if as_json:
        answer_json({**({} if line is None else {"line": line}), **verdict})
        return
    place = "" if line is None else f"line {line}  "
    answer(f"{place}{verdict['id'] or 'no readable id'}  {_words(verdict)}")


def _words(verdict: dict[str, Any]) -> str:
    said = str(verdict["verdict"]).replace("_", " ")
    if verdict["verdict"] == "refused":
        return f"refused: {why(verdict['reason'], verdict.get('paths', ()))}"
    repeated = " before (a duplicate)" if verdict.get("duplicate") else ""
    withheld = ", ".join(verdict.get("withheld", ()))
    return said + repeated + (f"; withheld from {withheld}" if withheld else "")


def why(reason: str, paths: Iterable[str]) -> str:
    """Return a refusal's reason, where it lies and, unless a newer bus gave it, what it means."""
    places = ", ".join(path or "the whole event" for path in paths)
    meaning = f" ({MEANINGS[reason]})" if reason in MEANINGS else ""
    return reason + (f" at {places}" if places else "") + meaning
