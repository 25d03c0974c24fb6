"""From the bus's answers to the verdict table: what each publisher was told about each of its events.

An acceptance is a record of the log; a refusal, or that something was said twice, is a record of the
publisher's refusals topic. An id may be said again, so each submission has a row of its own, by its place in
the inbox. The two topics are read side by side: which row is kept never depends on the order of arrival.
`VerdictProjection` is run by the projector, which keeps its positions in the same transaction as these rows.

That something was accepted is told once it binds everybody: what a withdrawal ends has then ended. A refusal
changes nothing and waits for nothing.
"""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from operator import attrgetter
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from schemas import topics
from schemas.canonical import canonical
from schemas.envelope import SOURCE_PREFIX
from schemas.records import Inbound
from schemas.verdicts import Accepted

_SQL = files(__package__) / "sql"
ACCEPTED_BEFORE_THIS = (_SQL / "accepted_before.sql").read_text()
RECORD = (_SQL / "record_verdicts.sql").read_text()
ERASE = (_SQL / "erase_verdicts.sql").read_text()
FORGET = (_SQL / "forget_verdicts.sql").read_text()
FORGET_ALL = (_SQL / "forget_all_verdicts.sql").read_text()

ANYTHING = "*"  # announced instead of a long list, as after a rebuild: whoever waits looks again
MOST_ANNOUNCED = 200
FORGET_EVERY = 3600.0  # seconds

AT_THE_GATEWAY = -1  # the place of what the gateway refused: before the inbox, and nobody waits for it
_KEY_PARTS = 3
REFUSED, ACCEPTED_BEFORE, ACCEPTED = range(3)  # how a verdict stands beside others on the same id

# Case -> the events that were accepted in it; None: it may be any.
Told: TypeAlias = Mapping[str, Collection[str]] | None
# Waits, in the transaction of the connection given, until these events bind every read. Raises TimeoutError where that
# takes too long.
Binding: TypeAlias = Callable[[Any, Told], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict as the table keeps it. `told`: the offset of the verdict's own record, which orders refusals."""

    party: str
    id: UUID
    inbox_offset: int
    verdict: bytes
    standing: int
    told: int
    recorded: datetime | None = None
    case: str | None = None  # of an accepted event; of what was said twice it is not known

    @property
    def submission(self) -> tuple[str, UUID, int]:
        """What the verdict is on: the table's key."""
        return self.party, self.id, self.inbox_offset

    @property
    def weight(self) -> tuple[int, int]:
        """Of two verdicts on one submission the heavier is kept: the same rule as record_verdicts.sql."""
        return self.standing, self.told


def waiting_key(party: str, event: UUID | str) -> str:
    """Return the name under which a verdict is announced."""
    return f"{party}/{event}"


def row_of(record: Inbound) -> Row | None:
    """Return the row that a record of the log or of a refusals topic makes; None where it makes none.

    None: an erased record, what the bus itself says, and a refusal of something without a readable id.
    """
    if record.value is None:
        return None
    headers = {name: value.decode() for name, value in record.headers}
    return _accepted(record, headers) if record.topic == topics.LOG else _answered(record, headers)


def _accepted(record: Inbound, headers: dict[str, str]) -> Row | None:
    place = headers.get("ce_inboxoffset")
    if place is None:
        return None
    withheld = tuple(party for party in headers.get("ce_withheld", "").split(",") if party)
    return Row(
        party=headers["ce_source"].removeprefix(SOURCE_PREFIX),
        id=UUID(headers["ce_id"]),
        inbox_offset=int(place),
        verdict=canonical(Accepted(headers["ce_id"], withheld).body()),
        standing=ACCEPTED,
        told=record.offset,
        recorded=_instant(headers.get("ce_recordedtime")),
        case=headers.get("ce_subject"),
    )


def _answered(record: Inbound, headers: dict[str, str]) -> Row | None:
    value = record.value or b""
    body = orjson.loads(value)
    if body["id"] is None:
        return None
    place = int(headers.get("ce_inboxoffset", AT_THE_GATEWAY))
    standing = REFUSED if body["verdict"] == "refused" else ACCEPTED_BEFORE
    return Row(topics.party_of(record.topic), UUID(body["id"]), place, value, standing, record.offset)


def erased_in(record: Inbound) -> tuple[str, UUID] | None:
    """Return the event, by party and id, that a tombstone takes out of the log; None for what is none."""
    if record.topic != topics.LOG or record.value is not None:
        return None
    parts = (record.key or b"").decode().split("/")  # of the key: party, case, id
    return (parts[0], UUID(parts[2])) if len(parts) == _KEY_PARTS else None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def fold(records: Iterable[Inbound]) -> list[Row]:
    """Return the rows of a batch, one for each submission: PostgreSQL takes no key twice in one upsert."""
    rows: dict[tuple[str, UUID, int], Row] = {}
    for said in filter(None, map(row_of, records)):
        kept = rows.get(said.submission, said)
        rows[said.submission] = max(kept, said, key=attrgetter("weight"))
    return list(rows.values())


class VerdictProjection:
    """Writes the verdicts of a batch, once they bind, and wakes who waits for them."""

    name = "verdicts"

    def __init__(self, parties: Iterable[str], binding: Binding, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the log and the refusals of these parties."""
        self.topics: tuple[str, ...] = (topics.LOG, *map(topics.refusals, sorted(parties)))
        self._binding = binding
        self._clock = clock
        self._forgot = -FORGET_EVERY

    async def write(self, connection: asyncpg.Connection, records: Sequence[Inbound]) -> None:
        """Write what the records say, in the caller's transaction: they are announced when it commits.

        Raises TimeoutError where what was accepted does not bind yet: then nothing of the batch is told.
        """
        gone = {event for event in map(erased_in, records) if event is not None}
        if rows := [row for row in fold(records) if (row.party, row.id) not in gone]:
            await self._binding(connection, await _accepted_in(connection, rows))
            await connection.execute(
                RECORD,
                [row.party for row in rows],
                [row.id for row in rows],
                [row.inbox_offset for row in rows],
                [row.verdict.decode() for row in rows],
                [row.standing for row in rows],
                [row.told for row in rows],
                [row.recorded for row in rows],
                _announced(rows),
            )
        if gone:
            await connection.execute(ERASE, [party for party, _ in gone], [id_ for _, id_ in gone])
        await self._forget(connection)

    async def restart(self, connection: asyncpg.Connection) -> None:
        """Forget everything: in other topics than those that were read, places mean something else."""
        await connection.execute(FORGET_ALL)

    async def _forget(self, connection: asyncpg.Connection) -> None:
        if self._clock() - self._forgot >= FORGET_EVERY:
            await connection.execute(FORGET)
            self._forgot = self._clock()


async def _accepted_in(connection: asyncpg.Connection, rows: Sequence[Row]) -> Told:
    told = {(row.party, row.id) for row in rows if row.standing == ACCEPTED}
    again = {(row.party, row.id) for row in rows if row.standing == ACCEPTED_BEFORE} - told
    if again:
        # Said twice in a moment, the second answer may be read before the acceptance itself.
        found = await connection.fetch(ACCEPTED_BEFORE_THIS, [party for party, _ in again], [id_ for _, id_ in again])
        if again - {(row["party"], row["id"]) for row in found}:
            return None
    by_case: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.case is not None:
            by_case[row.case].add(str(row.id))
    return by_case


def _announced(rows: Sequence[Row]) -> list[str]:
    return [waiting_key(row.party, row.id) for row in rows] if len(rows) <= MOST_ANNOUNCED else [ANYTHING]
