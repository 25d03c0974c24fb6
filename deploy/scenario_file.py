"""A scenario: deposits and events of several parties in one file, in the order in which they are said.

`shifted` moves all of it in time as one piece. Instants move by the same amount, so that the newest event is
now. Dates move with the day of their event in the city, so that a date that was the event's own day stays it.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from schemas.contract import CITY
from schemas.envelope import SOURCE_PREFIX
from schemas.errors import SamspilError
from schemas.vocabulary import DATE, INSTANT, UUID, instant

_DATE, _INSTANT, _UUID = re.compile(DATE), re.compile(INSTANT), re.compile(UUID)


class ScenarioError(SamspilError):
    """The scenario cannot be played:"""


@dataclass(frozen=True, slots=True)
class Deposit:
    """A value that a party puts into the vault."""

    party: str
    case: str
    ref: str
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Utterance:
    """An event that a party says, as a structured CloudEvent."""

    party: str
    event: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its id; None where it is no UUID."""
        id_ = self.event.get("id")
        return id_ if isinstance(id_, str) and _UUID.fullmatch(id_) else None

    @property
    def time(self) -> datetime | None:
        """When it was said; None where that is not to be read."""
        try:
            return instant(self.event.get("time", ""))
        except (TypeError, ValueError):
            return None


Line: TypeAlias = Deposit | Utterance


def read_scenario(path: Path) -> tuple[Line, ...]:
    """Return the lines of a scenario file. Raises ScenarioError, naming file and line."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path} is no text in UTF-8.") from None
    lines = tuple(_line(row, f"{path}, line {number}") for number, row in enumerate(rows, 1) if row.strip())
    if not lines:
        raise ScenarioError(f"{path} holds nothing.")
    return lines


def _line(row: str, place: str) -> Line:
    try:
        body = json.loads(row)
        if "deposit" in body:
            put = body["deposit"]
            return Deposit(put["as"], put["case"], put["ref"], put["field"], put["value"])
        return Utterance(_party(body["source"]), body)
    except (ValueError, KeyError, TypeError, AttributeError):
        # From None: the cause would repeat the line.
        raise ScenarioError(f"{place} is neither a deposit nor a CloudEvent of a party.") from None


def _party(source: str) -> str:
    if not source.startswith(SOURCE_PREFIX):
        raise ValueError("no party")
    return source.removeprefix(SOURCE_PREFIX)


def shifted(lines: Sequence[Line], now: datetime) -> tuple[Line, ...]:
    """Return the scenario moved in time, so that its newest event is said now."""
    times = [line.time for line in lines if isinstance(line, Utterance) and line.time]
    if not times:
        return tuple(lines)
    by = now.astimezone(UTC).replace(microsecond=0) - max(times).replace(microsecond=0)
    anchors = _anchors(lines, max(times))
    return tuple(_move(line, _mover(anchor, by)) for line, anchor in zip(lines, anchors, strict=True))


def _anchors(lines: Sequence[Line], last: datetime) -> Iterable[datetime]:
    """Return for each line the time that its dates are about: its own, or that of the next event after it."""
    anchors, coming = [], last
    for line in reversed(lines):
        coming = (line.time or coming) if isinstance(line, Utterance) else coming
        anchors.append(coming)
    return reversed(anchors)


def _mover(anchor: datetime, by: timedelta) -> Callable[[str], str]:
    days = (anchor + by).astimezone(CITY).date() - anchor.astimezone(CITY).date()

    def move(text: str) -> str:
        try:
            if _DATE.fullmatch(text):
                return (date.fromisoformat(text) + days).isoformat()
            if _INSTANT.fullmatch(text):
                return _written_like(text, datetime.fromisoformat(text) + by)
        except (ValueError, OverflowError):
            return text  # looks like a time and is none: it is there to be refused, and stays so
        return text

    return move


def _written_like(text: str, moment: datetime) -> str:
    moved = moment.isoformat()
    return moved.replace("+00:00", "Z") if text.endswith("Z") else moved


def _move(line: Line, move: Callable[[str], str]) -> Line:
    if isinstance(line, Deposit):
        return replace(line, value=_walk(line.value, move))
    moved = {name: _walk(value, move) if name in {"time", "data"} else value for name, value in line.event.items()}
    return replace(line, event=moved)


def _walk(value: Any, move: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return move(value)
    if isinstance(value, list):
        return [_walk(item, move) for item in value]
    if isinstance(value, dict):
        return {name: _walk(item, move) for name, item in value.items()}
    return value
