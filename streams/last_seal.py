"""When the bus last took an event, read from the seals at the end of the admitted topic.

A clock that follows events starts from here, so that a restart never turns it back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import ADMITTED, PARTITIONS

_TAIL = 20  # offsets from the end that are read: markers of transactions take some of them
_WAIT_MS = 500


async def newest_recorded(connection: Mapping[str, Any]) -> datetime | None:
    """Return the newest recordedtime of the bus, None where nothing was admitted yet."""
    consumer = AIOKafkaConsumer(**connection, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(ADMITTED, partition) for partition in range(PARTITIONS)]
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        found = [await _newest(consumer, place, begins[place], ends[place]) for place in places]
        times = [time for time in found if time is not None]
        return max(times, default=None)
    finally:
        await consumer.stop()


async def _newest(consumer: AIOKafkaConsumer, place: TopicPartition, begin: int, end: int) -> datetime | None:
    """Return the newest seal of a partition, looking further back where its end holds no record."""
    start = end
    while start > begin:
        stop, start = start, max(begin, start - _TAIL)
        if (time := await _newest_between(consumer, place, start, stop)) is not None:
            return time
    return None


async def _newest_between(consumer: AIOKafkaConsumer, place: TopicPartition, start: int, stop: int) -> datetime | None:
    consumer.seek(place, start)
    newest: datetime | None = None
    while await consumer.position(place) < stop:
        for record in (await consumer.getmany(place, timeout_ms=_WAIT_MS)).get(place, ()):
            if said := dict(record.headers).get("ce_recordedtime"):
                time = datetime.fromisoformat(said.decode())
                newest = time if newest is None else max(newest, time)
    return newest
