"""What an event adds to the counts: a function of the event and of what is remembered of its case.

To know which screening is a case's first, and what it was counted under already, something must be remembered of
it: `Memory`, the least that does. It is erased with the case; what was added to the counts stays, and says nothing of
the case any more. A count is never taken back. An event that was corrected later (said of the wrong person, or
withdrawn) stays counted, since to subtract it one would have to keep what it was counted as, event by event; how many
cases had a correction is counted instead.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from consumers.statistics.network import Key
from consumers.statistics.tables import POPULATION
from schemas.contract import CITY

LONGEST = 366  # days: what took longer counts as long


@dataclass(frozen=True, slots=True)
class Logged:
    """An event of the log: its type, data, and when the bus recorded it (RFC 3339)."""

    type: str
    data: Mapping[str, Any]
    recorded: str

    @property
    def year(self) -> int:
        """The year that it counts in, by the city's calendar."""
        return datetime.fromisoformat(self.recorded).astimezone(CITY).year


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a case until it is erased.

    `raised` and `source_type` are of its first concern, `age_band` of its newest. `named`: what the log calls later
    by an id alone, the forum of a meeting and the kind of a transfer. `counted`: under what it was counted already.
    """

    raised: str | None = None
    source_type: str | None = None
    age_band: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """One more of a population in a year."""

    year: int
    population: str
    key: Key


@dataclass(frozen=True, slots=True)
class Wait:
    """One case more that got to a stretch's end in a year, so many days after its first concern."""

    year: int
    stretch: str
    days: int


Added = Count | Wait
Told = tuple[Memory, tuple[Added, ...]]


def tally(memory: Memory, event: Logged) -> Told:
    """Return what is remembered after an event, and what it adds."""
    rule = _RULES.get(event.type)
    return (memory, ()) if rule is None else rule(memory, event)


def _raised(memory: Memory, event: Logged) -> Told:
    data = event.data
    if memory.raised is not None:
        return replace(memory, age_band=data["age_band"]), ()
    first = replace(memory, raised=event.recorded, source_type=data["source_type"], age_band=data["age_band"])
    return first, _counts("raised", event, _known(first))


def _screened(memory: Memory, event: Logged) -> Told:
    # A case whose first concern was never counted (the projector was away for longer than the log kept it) is none.
    if memory.raised is None or "screened" in memory.counted:
        return memory, ()
    counts = _counts("screened", event, {**_known(memory), "outcome": event.data["outcome"]})
    after, wait = _first("screening", memory, event)
    return replace(after, counted=(*after.counted, "screened")), (*counts, *wait)


def _scheduled(memory: Memory, event: Logged) -> Told:
    return _naming(memory, event.data["meeting"], event.data["forum"]), ()


def _held(memory: Memory, event: Logged) -> Told:
    forum = memory.named.get(event.data["meeting"])
    after, counts = (memory, ()) if forum is None else _yearly("meetings", memory, event, {"forum": forum})
    after, wait = _first("meeting", after, event)
    return after, (*counts, *wait)


def _started(memory: Memory, event: Logged) -> Told:
    after, counts = _yearly("measures", memory, event, {"kind": event.data["kind"]})
    after, wait = _first("measure", after, event)
    return after, (*counts, *wait)


def _initiated(memory: Memory, event: Logged) -> Told:
    return _naming(memory, event.data["transfer"], event.data["kind"]), ()


def _accepted(memory: Memory, event: Logged) -> Told:
    kind = memory.named.get(event.data["transfer"])
    return (memory, ()) if kind is None else _yearly("transfers", memory, event, {"kind": kind})


def _closed(memory: Memory, event: Logged) -> Told:
    if "closed" in memory.counted:
        return memory, ()
    counts = _counts("closed", event, {"outcome": event.data["outcome"]})
    return replace(memory, counted=(*memory.counted, "closed")), counts


def _activity(memory: Memory, event: Logged) -> Told:
    return memory, _counts("activities", event, event.data)


def _by(population: str, *names: str) -> Callable[[Memory, Logged], Told]:
    """Return a rule that counts a case once a year under each value of its events' data."""
    return lambda memory, event: _yearly(population, memory, event, {name: event.data[name] for name in names})


_RULES: Mapping[str, Callable[[Memory, Logged], Told]] = {
    "concern-raised": _raised,
    "concern-screened": _screened,
    "meeting-scheduled": _scheduled,
    "meeting-held": _held,
    "measure-started": _started,
    "relative-support-started": _by("relatives", "kind"),
    "exit-enrolled": _by("exits"),
    "transfer-initiated": _initiated,
    "transfer-accepted": _accepted,
    "case-closed": _closed,
    "deadline-passed": _by("deadlines", "deadline"),
    "correction-issued": _by("corrections", "reason"),
    "prevention-activity-held": _activity,
}


def _known(memory: Memory) -> dict[str, str]:
    return {"source_type": memory.source_type or "", "age_band": memory.age_band or ""}


def _naming(memory: Memory, id_: str, name: str) -> Memory:
    return replace(memory, named={**memory.named, id_: name})


def _counts(population: str, event: Logged, values: Mapping[str, str]) -> tuple[Count, ...]:
    keys: Iterable[Key] = POPULATION[population].keys_of(values)
    return tuple(Count(event.year, population, key) for key in keys)


def _yearly(population: str, memory: Memory, event: Logged, values: Mapping[str, str]) -> Told:
    new = [count for count in _counts(population, event, values) if _mark(count) not in memory.counted]
    return replace(memory, counted=(*memory.counted, *map(_mark, new))), tuple(new)


def _mark(count: Count) -> str:
    return f"{count.year} {count.population} {'/'.join(count.key)}"


def _first(stretch: str, memory: Memory, event: Logged) -> Told:
    """Measure a stretch at its first end."""
    mark = f"first {stretch}"
    if memory.raised is None or mark in memory.counted:
        return memory, ()
    began, ended = (datetime.fromisoformat(at).astimezone(CITY).date() for at in (memory.raised, event.recorded))
    days = min(max((ended - began).days, 0), LONGEST)
    return replace(memory, counted=(*memory.counted, mark)), (Wait(event.year, stretch, days),)
