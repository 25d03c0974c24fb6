"""One release of counts a year, and never another: fence, look, write.

The writer's transactional id is one for all. To start it ends what another run has left open and refuses what that one
still tries; only then is the topic read, and written to where it holds no release of the year. So of two runs at once,
or of one that was killed and started again, one release comes, and everybody reads the same.

A year is released from its second day after on, by the bus's clock, once all of the log is counted.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files

import asyncpg
from aiokafka import ConsumerRecord
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from consumers.kept_records import ends_of, kept
from consumers.runner import STORED
from consumers.statistics.network import Key
from consumers.statistics.projection import Statistics
from consumers.statistics.release import Kept, Waited, release
from deploy import clients
from deploy.kafka_access import KafkaAccess
from deploy.settings import Settings
from schemas import topics
from schemas.contract import CITY
from schemas.errors import UnreachableError, UsageError
from schemas.records import Outbound
from schemas.rights import RELEASE_TRANSACTIONS
from streams.transactions import Transactions

PRINCIPAL = "statistics"  # on Kafka, and in the database
COUNTED_WITHIN = 30.0  # seconds
_ASK_SECONDS = 20
_PAUSE_SECONDS = 0.2
_OF_CONSUMERS = files("consumers") / "sql"
COUNTS_OF = (_OF_CONSUMERS / "statistics_counts_of.sql").read_text()
WAITS_OF = (_OF_CONSUMERS / "statistics_waits_of.sql").read_text()
NEWEST = (files("deploy") / "sql" / "statistics_newest.sql").read_text()


@dataclass(frozen=True, slots=True)
class Released:
    """A year's release as it stands on its topic. `new`: made now; `same`: the counts still give it."""

    body: bytes
    offset: int
    new: bool
    same: bool

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{topics.STATISTICS}/0@{self.offset}"


async def released(settings: Settings, year: int) -> Released:
    """Return the release of a year, making it where there is none. Raises UsageError where there can be none yet."""
    access = settings.kafka(PRINCIPAL)
    database = await _connected(settings.dsn(PRINCIPAL))
    try:
        _require_over(year, await _now(settings, database))
        found = await _found(access, year)
        return await _compared(database, year, found) if found else await _made(access, database, year)
    finally:
        await database.close()


async def _connected(dsn: str) -> asyncpg.Connection:
    try:
        return await clients.connection(dsn)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreachableError(f"PostgreSQL ({type(error).__name__})") from None


async def _now(settings: Settings, database: asyncpg.Connection) -> datetime:
    if settings.bus_clock == "wall":
        return datetime.now(UTC)
    newest = await database.fetchval(NEWEST)
    return datetime.fromisoformat(newest) if newest else datetime.min.replace(tzinfo=UTC)


def _require_over(year: int, now: datetime) -> None:
    if now < datetime(year + 1, 1, 2, tzinfo=CITY):
        raise UsageError(f"{year} is not over; a release comes once, from 2 January on.")


async def _found(access: KafkaAccess, year: int) -> ConsumerRecord | None:
    ear = partial(clients.consumer, access)
    key = str(year).encode()
    places = await ends_of(ear, [(topics.STATISTICS, 0)])
    records = [record async for some in kept(ear, places) for record in some if record.key == key]
    return records[0] if records else None


async def _made(access: KafkaAccess, database: asyncpg.Connection, year: int) -> Released:
    await _all_counted(access, database)
    body = await _body(database, year)
    writer = Transactions(RELEASE_TRANSACTIONS, access.aiokafka())
    try:
        await writer.start()
        found = await _found(access, year)  # again: none that was there before the fence is overlooked
        if found is None:
            record = Outbound(topics.STATISTICS, 0, str(year).encode(), body)
            await writer.commit(writer.pack([record]), {}, "")
    finally:
        await writer.stop()
    if found is None and (written := await _found(access, year)):
        return Released(body, written.offset, new=True, same=True)
    return await _compared(database, year, found)


async def _compared(database: asyncpg.Connection, year: int, found: ConsumerRecord | None) -> Released:
    if found is None:
        raise UnreachableError(f"topic {topics.STATISTICS}: what was written is not there.")
    same = bool(found.value == await _body(database, year))
    return Released(found.value, found.offset, new=False, same=same)


async def _all_counted(access: KafkaAccess, database: asyncpg.Connection) -> None:
    """Wait until the log is counted up to where it ends now. Raises UsageError where that takes too long."""
    ends = await asyncio.to_thread(_ends, access)
    deadline = time.monotonic() + COUNTED_WITHIN
    while True:
        rows = await database.fetch(STORED, Statistics.name)
        at = {row["partition"]: row["position"] for row in rows if row["topic"] == topics.LOG}
        if all(at.get(partition, 0) >= end for partition, end in ends.items()):
            return
        if time.monotonic() > deadline:
            raise UsageError("the projector has not counted all of the log: is it running?")
        await asyncio.sleep(_PAUSE_SECONDS)


def _ends(access: KafkaAccess) -> dict[int, int]:
    # Not by a consumer: that would fetch at once, and need the right to read the log.
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = {TopicPartition(topics.LOG, number): latest for number in range(topics.PARTITIONS)}
    admin = access.admin()  # held: an admin client that nobody holds answers nobody
    try:
        answers = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ASK_SECONDS)
        return {place.partition: answer.result().offset for place, answer in answers.items()}
    except KafkaException as failed:
        raise UnreachableError(f"Kafka at {access.bootstrap}.") from failed


async def _body(database: asyncpg.Connection, year: int) -> bytes:
    async with database.transaction(isolation="repeatable_read", readonly=True):
        kept_, waited = await _kept(database, year), await _waited(database, year)
    if not kept_:
        raise UsageError(f"nothing was counted in {year}.")
    return release(year, kept_, waited)


async def _kept(database: asyncpg.Connection, year: int) -> Kept:
    found: dict[str, dict[Key, int]] = defaultdict(dict)
    for row in await database.fetch(COUNTS_OF, year):
        key: Key = tuple(row["key"].split("/")) if row["key"] else ()
        found[row["population"]][key] = row["number"]
    return found


async def _waited(database: asyncpg.Connection, year: int) -> Waited:
    found: dict[str, Mapping[int, int]] = defaultdict(dict)
    for row in await database.fetch(WAITS_OF, year):
        found[row["stretch"]] = {**found[row["stretch"]], row["days"]: row["number"]}
    return found
