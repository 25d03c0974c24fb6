"""What topics keep, up to an end that is fixed when the reading starts.

The end is the broker's, transactions under way included: the reader waits until they have ended, so that what
was said before the reading started is read whole. Transaction markers and compaction leave gaps in the offsets;
so progress is the client's position, never the offset of a record.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Literal, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.errors import UnreachableError
from schemas.records import Inbound

Isolation = Literal["read_committed", "read_uncommitted"]
OpenConsumer: TypeAlias = Callable[[Isolation], AIOKafkaConsumer]
Place: TypeAlias = tuple[str, int]
Ends: TypeAlias = Mapping[Place, int]

POLL_MS = 200
PATIENCE = 60.0  # seconds without any progress; a frozen writer holds its partitions for ten


async def ends_of(
    open_consumer: OpenConsumer, places: Iterable[Place], isolation: Isolation = "read_uncommitted"
) -> Ends:
    """Return where each partition ends now: transactions under way included, or (read_committed) left out."""
    consumer = open_consumer(isolation)
    try:
        await consumer.start()
        at = [TopicPartition(*place) for place in places]
        consumer.assign(at)  # tells the client of all topics at once; one by one, each costs a tenth of a second
        ends: dict[TopicPartition, int] = await consumer.end_offsets(at)
    finally:
        await consumer.stop()
    return {(at.topic, at.partition): end for at, end in ends.items()}


async def kept(
    open_consumer: OpenConsumer, ends: Ends, isolation: Isolation = "read_committed"
) -> AsyncIterator[tuple[ConsumerRecord, ...]]:
    """Yield what is kept below the ends, each partition in its order; read_uncommitted, what was given up too."""
    places = [TopicPartition(*place) for place, end in ends.items() if end > 0]
    if not places:
        return
    consumer = open_consumer(isolation)
    try:
        await consumer.start()
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        async for records in _until(consumer, ends, places):
            yield records
    finally:
        await consumer.stop()


async def _until(
    consumer: AIOKafkaConsumer, ends: Ends, places: list[TopicPartition]
) -> AsyncIterator[tuple[ConsumerRecord, ...]]:
    left, moved = list(places), time.monotonic()
    while left:
        batches = await consumer.getmany(timeout_ms=POLL_MS)
        for at, records in batches.items():
            moved = time.monotonic()
            if below := tuple(record for record in records if record.offset < ends[at.topic, at.partition]):
                yield below
        reached = [at for at in left if await consumer.position(at) >= ends[at.topic, at.partition]]
        if reached:
            moved = time.monotonic()
            consumer.pause(*reached)
            left = [at for at in left if at not in reached]
        if time.monotonic() - moved > PATIENCE:
            raise UnreachableError(f"topic {left[0].topic}, partition {left[0].partition} does not move on.")
        await asyncio.sleep(0)


def inbound(record: ConsumerRecord) -> Inbound:
    """Return a client's record as the pure code sees records."""
    headers = tuple((name, bytes(text or b"")) for name, text in record.headers)
    return Inbound(record.topic, record.partition, record.offset, record.key, record.value, headers)
