"""Whether records wait behind a position, asked of the broker by a client of our own.

Where a partition ends is the last stable offset: a transaction under way, of whomever, is not waiting for us.
Markers of transactions, and what was aborted, take offsets that nobody is ever given; so an end beyond the
position proves nothing, and a look behind the position does.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

_LOOK_MS = 200
_FETCH_BYTES = 64 * 1024  # one batch is enough to know


class Lag:
    """Asks where records wait. Used in one loop, by one task."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        """`connection`: keyword arguments of aiokafka's clients."""
        self._connection = connection
        self._starting: asyncio.Task[AIOKafkaConsumer] | None = None
        self._before: dict[TopicPartition, int] = {}
        self._nothing_up_to: dict[TopicPartition, int] = {}

    async def behind(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return those of these positions that have not moved since the last time while a record waits there.

        The broker is asked in any case. Raises KafkaError, OSError where it does not answer, or refuses to.
        """
        consumer = await self._connect()
        if not positions:
            await consumer.topics()
            return {}
        ends = await consumer.end_offsets(list(positions))
        still = {place: at for place, at in positions.items() if self._before.get(place) == at}
        self._before = dict(positions)
        self._nothing_up_to = {place: end for place, end in self._nothing_up_to.items() if place in still}
        unsure = {p: at for p, at in still.items() if max(at, self._nothing_up_to.get(p, 0)) < ends[p]}
        if not unsure:
            return {}
        consumer.assign(list(unsure))
        for place, position in unsure.items():
            consumer.seek(place, position)
        waiting = {place: at for place, at in unsure.items() if await self._waits(consumer, place, ends[place])}
        consumer.unsubscribe()  # else it would go on fetching
        return waiting

    async def close(self) -> None:
        """Forget the client. The next question makes another one."""
        starting, self._starting = self._starting, None
        if starting is not None:
            await asyncio.shield(_stopped(starting))  # it ends in its own time, also where nobody waits for it

    async def _waits(self, consumer: AIOKafkaConsumer, place: TopicPartition, end: int) -> bool:
        try:
            while await consumer.position(place) < end:
                if (await consumer.getmany(place, timeout_ms=_LOOK_MS, max_records=1)).get(place):
                    return True
        except UnicodeDecodeError:
            return True  # a record that the client cannot read: streams/transport passes it over
        self._nothing_up_to[place] = end
        return False

    async def _connect(self) -> AIOKafkaConsumer:
        if self._starting is None:
            self._starting = asyncio.create_task(self._started())
        # Shielded: whoever asks may lose patience, but a client that is interrupted as it starts leaves a socket open.
        return await asyncio.shield(self._starting)

    async def _started(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._connection,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what was cut behind a position does not wait, what follows does
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=_LOOK_MS,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer


async def _stopped(starting: "asyncio.Task[AIOKafkaConsumer]") -> None:
    with suppress(KafkaError, OSError):
        consumer = await starting
        await consumer.stop()
