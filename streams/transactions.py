"""Writing: all that a run, or a part of one, leads to, and the offset it ends at, in one Kafka transaction.

Starting the producer fences whoever held its id before and ends what that one left open. After that a
batch either stands whole, offsets included, or not at all.

`send_batch` gives a future: a batch that the broker refused is only told there, and a commit without
looking at it would succeed, offsets and all. So each is awaited before the offsets are handed over.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.records import Outbound
from streams.packing import Packing

TIMEOUT_MS = 10_000  # a frozen writer holds the last stable offset of each partition that it wrote to
_RECORD_BYTES = 4 * 1024 * 1024  # one state of a full case must fit


class Transactions:
    """The transactional writer of one step on one partition."""

    def __init__(self, transactional_id: str, connection: Mapping[str, Any]) -> None:
        """`connection`: keyword arguments of aiokafka's clients."""
        self._producer = AIOKafkaProducer(
            **connection,
            transactional_id=transactional_id,
            transaction_timeout_ms=TIMEOUT_MS,
            max_batch_size=_RECORD_BYTES,
            max_request_size=2 * _RECORD_BYTES,
            linger_ms=0,
        )

    async def start(self) -> None:
        """Fence every older owner of the id, and end its open transaction."""
        await self._producer.start()

    async def stop(self) -> None:
        """End in order."""
        await self._producer.stop()

    def pack(self, outputs: Iterable[Outbound] = ()) -> Packing:
        """Return the beginning of what a transaction will write. Raises UnsendableError."""
        packing = Packing(self._producer.create_batch)
        packing.add(outputs)
        return packing

    async def commit(self, packing: Packing, position: Mapping[TopicPartition, int], group: str) -> None:
        """Write what is packed and the position after the run, or raise: then nothing of it can be seen.

        What follows from no run has no position.
        """
        await self._producer.begin_transaction()
        await asyncio.gather(*(self._send(*place, batches) for place, batches in packing.batches().items()))
        if position:
            await self._producer.send_offsets_to_transaction(position, group)
        await self._producer.commit_transaction()

    async def _send(self, topic: str, partition: int, batches: Iterable[BatchBuilder]) -> None:
        sent = [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches]
        for future in sent:
            await future
