"""From the log into the counts: each event once, whatever happens between.

How far was counted is kept with the counts, beside the positions of the read model: who makes that anew, and reads
the log from its beginning, adds nothing twice. The log cannot give the counts again, since erased cases are no longer
in it; so nothing here is ever made anew. A case's tombstones take away what was remembered of it, and leave the
counts as they are. An event whose record was compacted before it was read here (its case was erased while this process
was away for a day or longer) was never counted, and stays so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

import orjson

from consumers.statistics.tally import Count, Logged, Memory, Wait, tally
from schemas import topics
from schemas.envelope import NO_CASE, TYPE_PREFIX, TYPE_SUFFIX
from schemas.records import Inbound

_SQL = files("consumers") / "sql"
COUNTED = (_SQL / "statistics_counted.sql").read_text()
ADVANCE = (_SQL / "statistics_advance.sql").read_text()
COUNT_AGAIN = (_SQL / "statistics_count_again.sql").read_text()
ADD_COUNTS = (_SQL / "statistics_add_counts.sql").read_text()
ADD_WAITS = (_SQL / "statistics_add_waits.sql").read_text()
REMEMBERED = (_SQL / "statistics_remembered.sql").read_text()
REMEMBER = (_SQL / "statistics_remember.sql").read_text()
FORGET = (_SQL / "statistics_forget.sql").read_text()
FORGET_ALL = (_SQL / "statistics_forget_all.sql").read_text()

_KEY_PARTS = 3  # party, case, event


@dataclass(slots=True)
class _Place:
    """How far a partition was counted."""

    position: int = 0
    newest: str = ""
    again: str = ""


@dataclass(slots=True)
class _Batch:
    """What a batch adds, remembers and forgets."""

    places: dict[int, _Place]
    memories: dict[str, Memory]
    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    added: Counter[Count | Wait] = field(default_factory=Counter)

    def take(self, record: Inbound) -> None:
        place = self.places.setdefault(record.partition, _Place())
        case = _case(record)
        if record.value is None:
            self._forget(case)
        elif record.offset >= place.position:
            self._count(case, logged(record), place)
        place.position = max(place.position, record.offset + 1)

    def _forget(self, case: str | None) -> None:
        if case is not None:
            self.memories.pop(case, None)
            self.touched.discard(case)
            self.gone.add(case)

    def _count(self, case: str | None, event: Logged, place: _Place) -> None:
        before = self.memories.get(case or "", Memory())
        after, added = tally(before, event)
        if event.recorded > place.again:
            self.added.update(added)
        if case is not None and after != before:
            self.memories[case] = after
            self.touched.add(case)
        place.newest = max(place.newest, event.recorded)


def logged(record: Inbound) -> Logged:
    """Return the event of a record of the log."""
    headers = {name: value.decode() for name, value in record.headers}
    type_ = headers["ce_type"].removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    return Logged(type_, orjson.loads(record.value or b"{}"), headers["ce_recordedtime"])


def _case(record: Inbound) -> str | None:
    parts = (record.key or b"").decode().split("/")
    return parts[1] if len(parts) == _KEY_PARTS and parts[1] != NO_CASE else None


class Statistics:
    """Counts what the log says."""

    name = "statistics"
    topics: tuple[str, ...] = (topics.LOG,)

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Add what a batch says, in the caller's transaction."""
        cases = sorted({case for record in records if (case := _case(record)) is not None})
        batch = _Batch(await _places(connection), await _memories(connection, cases))
        for record in records:
            batch.take(record)
        await _add(connection, batch.added)
        await _remember(connection, {case: batch.memories[case] for case in batch.touched})
        await connection.execute(FORGET, sorted(batch.gone))
        numbers, places = list(batch.places), list(batch.places.values())
        await connection.execute(ADVANCE, numbers, [p.position for p in places], [p.newest for p in places])

    async def restart(self, connection: Any) -> None:
        """Count another topic of this name: only what was recorded after all that was counted is new."""
        await connection.execute(COUNT_AGAIN)
        await connection.execute(FORGET_ALL)


async def _places(connection: Any) -> dict[int, _Place]:
    rows = await connection.fetch(COUNTED)
    return {row["partition"]: _Place(row["position"], row["newest"], row["again"]) for row in rows}


async def _memories(connection: Any, cases: Sequence[str]) -> dict[str, Memory]:
    rows = await connection.fetch(REMEMBERED, cases)
    return {row["case_id"]: _memory(orjson.loads(row["memory"])) for row in rows}


def _memory(kept: Mapping[str, Any]) -> Memory:
    return Memory(**{**kept, "counted": tuple(kept["counted"])})


async def _remember(connection: Any, memories: Mapping[str, Memory]) -> None:
    if memories:
        values = [orjson.dumps(asdict(memory)).decode() for memory in memories.values()]
        await connection.execute(REMEMBER, list(memories), values)


async def _add(connection: Any, added: Counter[Count | Wait]) -> None:
    counts = [(one, number) for one, number in added.items() if isinstance(one, Count)]
    waits = [(one, number) for one, number in added.items() if isinstance(one, Wait)]
    if counts:
        rows = ((one.year, one.population, "/".join(one.key), number) for one, number in counts)
        await connection.execute(ADD_COUNTS, *_columns(rows))
    if waits:
        await connection.execute(ADD_WAITS, *_columns((w.year, w.stretch, w.days, number) for w, number in waits))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
