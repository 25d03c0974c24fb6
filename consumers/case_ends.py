"""Where the partitions of the cases topic end: how far a read of the vault must wait, and who tells verdicts.

Asked read_committed, it is the last stable offset: what a transaction under way has written is not there yet. Asked
read_uncommitted, that is counted too.
"""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.errors import UnreachableError

PATIENCE = 2.0


class CaseEnds:
    """Asks the broker, over one consumer that reads nothing; a broken one is replaced."""

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        """Take a way to make an AIOKafkaConsumer; its isolation level says which end is meant."""
        self._make = consumer
        self._consumer: AIOKafkaConsumer | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._close()

    async def __call__(self, partition: int) -> int:
        """Return the end of a partition. Raises UnreachableError."""
        return (await self.of([partition]))[partition]

    async def all(self) -> dict[int, int]:
        """Return the ends of all partitions. Raises UnreachableError."""
        return await self.of(range(topics.PARTITIONS))

    async def of(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the ends of some partitions. Raises UnreachableError."""
        places = [TopicPartition(topics.CASES, partition) for partition in partitions]
        try:
            async with asyncio.timeout(PATIENCE):
                consumer = await self._opened()
                ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
        except (KafkaError, TimeoutError, OSError):
            await self._close()
            raise UnreachableError(topics.CASES) from None
        return {place.partition: end for place, end in ends.items()}

    async def _opened(self) -> AIOKafkaConsumer:
        async with self._opening:
            if self._consumer is None:
                consumer = self._make()
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
            return self._consumer

    async def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
