"""From topics into PostgreSQL: the only consume loop.

A projection's rows and how far it has read are written in one transaction, so after any crash it goes on
where its rows end. How far it has read is the consumer's own position: that passes what carries no record
(the marker that ends a transaction, what compaction took), and who waits for a place in a topic waits for
no more than that. The partitions are assigned by hand, without a group: nobody rebalances, and a second
process on the same projection is noticed by the positions that it moves.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from typing import Any, Protocol, runtime_checkable

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumers.kept_records import inbound
from schemas import topics
from schemas.errors import SamspilError
from schemas.log_events import LogEvent
from schemas.records import Inbound

_SQL = files(__package__) / "sql"
STORED = (_SQL / "stored_positions.sql").read_text()
ADVANCE = (_SQL / "advance_positions.sql").read_text()

POLL_MS = 100  # how long a poll waits for a record; markers alone do not end it earlier
BATCH = 2_000
OFFSETS_WITHIN = 10.0  # seconds
LOOK_AGAIN = 5.0  # seconds without progress, until the broker is asked whether there was any to make
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
NOWHERE = -1

# What comes and goes with network, broker and database: tried again for as long as the process lives.
PASSING = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    SamspilError,
)
# What one record can be to blame for: its values, read by us or refused by PostgreSQL.
POISON = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    SamspilError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.CardinalityViolationError,
    asyncpg.ProgramLimitExceededError,
)

log = structlog.get_logger()
Positions = dict[TopicPartition, int]
Write = Callable[[Any, Sequence[Inbound]], Awaitable[None]]
Consumers = Callable[[], AbstractAsyncContextManager[Any]]


class StuckError(SamspilError):
    """A consumer stands still before the end of what it reads:"""


class OvertakenError(SamspilError):
    """Another process has moved this projection:"""


class Projection(Protocol):
    """Topics turned into rows. `write` runs in the runner's transaction and holds its own SQL."""

    @property
    def name(self) -> str:
        """What its positions are kept under."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What it reads."""

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Write what a batch says; the same batch twice must give the same rows."""


@runtime_checkable
class Restartable(Protocol):
    """A projection whose rows must go before its topics are read from the beginning again."""

    async def restart(self, connection: Any) -> None:
        """Remove the rows."""


@runtime_checkable
class Committed(Protocol):
    """A projection that wants to know when its rows, or its positions alone, stand in the database."""

    def committed(self) -> None:
        """Take note."""


@asynccontextmanager
async def started(consumer: Any) -> AsyncIterator[Any]:
    """Start an aiokafka consumer and stop it in the end: what a factory of consumers returns."""
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


class Runner:
    """Runs one projection until cancelled.

    `consumers` makes a consumer that is started: read_committed, without a group, offset reset `none`.
    """

    def __init__(self, projection: Projection, consumers: Consumers, pool: Any) -> None:
        """Take what to run and what it runs on."""
        self.projection = projection
        self.skipped = 0  # records that the projection could not read
        self.caught_up = False  # it has once reached what was the end when it opened
        self.alive_at = time.monotonic()  # when it last got through a round
        self._consumers = consumers
        self._pool = pool
        self._pause = FIRST_PAUSE

    async def run(self) -> None:
        """Read for ever. What passes is tried again from the stored positions; anything else ends it."""
        while True:
            try:
                async with self._consumers() as consumer:
                    await self._follow(consumer)
            except PASSING as error:
                self._note_failure(error)
            except asyncio.CancelledError as error:
                # aiokafka lets its own cancelled requests out when a connection breaks: nobody has cancelled us.
                if _is_cancelled():
                    raise
                self._note_failure(error)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _note_failure(self, error: BaseException) -> None:
        log.warning(LogEvent.PROJECTION_RETRIES, name=self.projection.name, error=type(error).__name__)

    async def _follow(self, consumer: Any) -> None:
        partitions = _partitions(self.projection.topics)
        consumer.assign(partitions)
        at, ends = await self._place(consumer, partitions)
        moved_at = time.monotonic()
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
            moved = {place: await consumer.position(place) for place in partitions}
            moved = {place: position for place, position in moved.items() if position != at.get(place)}
            if moved:
                await self._store([inbound(record) for run in found.values() for record in run], at, moved)
                if isinstance(self.projection, Committed):
                    self.projection.committed()
                at |= moved
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > LOOK_AGAIN:
                ends = await self._look(consumer, at, ends)
                moved_at = time.monotonic()
            self._note_round(at, ends)

    def _note_round(self, at: Positions, ends: Positions) -> None:
        self.alive_at = time.monotonic()
        self._pause = FIRST_PAUSE
        self.caught_up = self.caught_up or _reached(at, ends)

    async def _look(self, consumer: Any, at: Positions, known: Positions) -> Positions:
        """Ask where the topics end. A client that has not come to the ends known before never will (aiokafka#1154)."""
        if not _reached(at, known):
            raise StuckError(self.projection.name)
        return await _ends(consumer, list(known))

    async def _place(self, consumer: Any, partitions: Sequence[TopicPartition]) -> tuple[Positions, Positions]:
        """Seek to where this projection goes on; return its stored positions and the ends of its topics."""
        async with asyncio.timeout(OFFSETS_WITHIN):
            starts: Positions = await consumer.beginning_offsets(partitions)
        ends = await _ends(consumer, partitions)
        stored = await self._stored()
        if lost := [place for place in partitions if stored.get(place, NOWHERE) > ends[place]]:
            stored = await self._restart(lost, stored, starts)
        for place in partitions:
            consumer.seek(place, max(stored.get(place, NOWHERE), starts[place]))
        return stored, ends

    async def _stored(self) -> Positions:
        rows = await self._pool.fetch(STORED, self.projection.name)
        return {TopicPartition(row["topic"], row["partition"]): row["position"] for row in rows}

    async def _restart(self, lost: Sequence[TopicPartition], stored: Positions, starts: Positions) -> Positions:
        """Begin again: a topic that ends before our position is another topic than the one that we read."""
        name = self.projection.name
        for place in lost:
            log.error(LogEvent.TOPIC_RECREATED, name=name, topic=place.topic, partition=place.partition)
        again = {place: starts[place] for place in stored if place in starts}
        async with self._pool.acquire() as connection, connection.transaction():
            await self._advance(connection, stored, again)
            if isinstance(self.projection, Restartable):
                await self.projection.restart(connection)
        return stored | again

    async def _store(self, records: Sequence[Inbound], before: Positions, moved: Positions) -> None:
        try:
            await self._commit(records, before, moved, self.projection.write)
        except POISON:
            await self._commit(records, before, moved, self._write_singly)

    async def _commit(self, records: Sequence[Inbound], before: Positions, moved: Positions, write: Write) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            # First of all: a second process waits here, and then sees that it came too late.
            await self._advance(connection, before, moved)
            if records:
                await write(connection, records)

    async def _advance(self, connection: Any, before: Positions, moved: Mapping[TopicPartition, int]) -> None:
        places = sorted(moved)  # in one order, so that two processes never lock crosswise
        advanced = await connection.fetch(
            ADVANCE,
            self.projection.name,
            [place.topic for place in places],
            [place.partition for place in places],
            [moved[place] for place in places],
            [before.get(place, NOWHERE) for place in places],
        )
        if len(advanced) != len(places):
            raise OvertakenError(self.projection.name)

    async def _write_singly(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Write record by record, so that only what cannot be read is left out."""
        for record in records:
            try:
                async with connection.transaction():
                    await self.projection.write(connection, [record])
            except POISON as error:
                self._skip(record, error)

    def _skip(self, record: Inbound, error: BaseException) -> None:
        self.skipped += 1
        log.error(
            LogEvent.RECORD_SKIPPED,
            name=self.projection.name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=type(error).__name__,
        )


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _partitions(names: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(name, number) for name in names for number in range(topics.partitions(name))]


async def _ends(consumer: Any, partitions: Sequence[TopicPartition]) -> Positions:
    async with asyncio.timeout(OFFSETS_WITHIN):
        ends: Positions = await consumer.end_offsets(partitions)
    return ends


def _reached(at: Positions, ends: Positions) -> bool:
    return all(at.get(place, 0) >= end for place, end in ends.items())
