"""Writing: everything that a run leads to, and the offset it ends at, in one Kafka transaction.

Starting the producer fences whoever held its id before and ends what that one left open. After that a
batch either stands whole, offsets included, or not at all.

`send_batch` gives a future: a batch that the broker refused is only told there, and a commit without
looking at it would succeed, offsets and all. So each is awaited before the offsets are handed over.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from schemas.errors import UnsendableError
from schemas.records import Outbound

TIMEOUT_MS = 10_000  # a frozen writer holds the last stable offset of each partition that it wrote to
BATCH_BYTES = 512 * 1024  # well under a broker's usual limit of 1 MiB a batch
_ENVELOPE = 1024  # bytes of a record's key and headers, about the most
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

    async def commit(self, outputs: Iterable[Outbound], position: Mapping[TopicPartition, int], group: str) -> None:
        """Write outputs and the position after the run, or raise: then nothing of it can be seen.

        What follows from no run has no position.
        """
        await self._producer.begin_transaction()
        await self._send(outputs)
        if position:
            await self._producer.send_offsets_to_transaction(position, group)
        await self._producer.commit_transaction()

    async def _send(self, outputs: Iterable[Outbound]) -> None:
        by_partition: dict[tuple[str, int], list[Outbound]] = defaultdict(list)
        for record in outputs:
            by_partition[record.topic, record.partition].append(record)
        await asyncio.gather(*(self._send_all(*place, records) for place, records in by_partition.items()))

    async def _send_all(self, topic: str, partition: int, records: list[Outbound]) -> None:
        """Send one partition's records in order, in as many batches as they need."""
        sent = [
            await self._producer.send_batch(batch, topic, partition=partition)
            for batch in self._batches(topic, records)
        ]
        for future in sent:
            await future

    def _batches(self, topic: str, records: list[Outbound]) -> Iterator[Any]:
        """Pack records into batches of a size that every topic takes; a larger record goes alone."""
        batch, size = self._producer.create_batch(), 0
        for record in records:
            weight = len(record.value or b"") + _ENVELOPE
            if size and size + weight > BATCH_BYTES:
                yield _closed(batch)
                batch, size = self._producer.create_batch(), 0
            if batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers)) is None:
                raise UnsendableError(topic)
            size += weight
        yield _closed(batch)


def _closed(batch: Any) -> Any:
    batch.close()
    return batch
