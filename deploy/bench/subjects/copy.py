"""The ceiling: aiokafka copying the admitted records to one topic in batches, judging nothing.

With transactions as the bus has them: one producer a partition, all at once, offsets within. Without: one
idempotent producer, and the offsets of what is written committed now and then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from deploy import garbage
from deploy.bench.order import Order

_BATCH_BYTES = 512 * 1024
_MOST_BYTES = 4 * 1024 * 1024
_POLL_MS = 100
_COMMIT_SECONDS = 0.5


def run(order: Order) -> None:
    garbage.look_seldom()
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    source, partitions = order.options["source"], order.options["partitions"]
    consumer = AIOKafkaConsumer(
        **order.aiokafka,
        group_id=order.name,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    places = [TopicPartition(source, partition) for partition in range(partitions)]
    consumer.assign(places)
    names = [f"{order.name}.{place.partition}" for place in places] if order.options["transactional"] else [None]
    producers = [_producer(order, name) for name in names]
    await asyncio.gather(*(producer.start() for producer in producers))
    order.say_ready()
    written: dict[TopicPartition, int] = {}
    async with asyncio.TaskGroup() as group:
        for number, place in enumerate(places):
            copy = _Copy(consumer, producers[number % len(producers)], place, written, order)
            group.create_task(copy.run())
        if not order.options["transactional"]:
            group.create_task(_commit(consumer, written))


async def _commit(consumer: AIOKafkaConsumer, written: dict[TopicPartition, int]) -> None:
    # The client's own timer commits what was read, written or not: who waits for the offsets would count too early.
    while True:
        await asyncio.sleep(_COMMIT_SECONDS)
        if written:
            await consumer.commit(dict(written))


def _producer(order: Order, transactional_id: str | None) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **order.aiokafka,
        acks="all",
        enable_idempotence=True,
        transactional_id=transactional_id,
        max_batch_size=_MOST_BYTES,
        max_request_size=2 * _MOST_BYTES,
    )


@dataclass(frozen=True, slots=True)
class _Copy:
    """One partition's copying."""

    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    place: TopicPartition
    written: dict[TopicPartition, int]  # where each partition goes on
    order: Order

    async def run(self) -> None:
        while True:
            found = await self.consumer.getmany(
                self.place, timeout_ms=_POLL_MS, max_records=self.order.options["batch"]
            )
            if records := found.get(self.place):
                await self._copy(records)

    async def _copy(self, records: Sequence[ConsumerRecord]) -> None:
        if not self.order.options["transactional"]:
            await self._send(records)
            self.written[self.place] = records[-1].offset + 1
            return
        await self.producer.begin_transaction()
        await self._send(records)
        offsets = {self.place: records[-1].offset + 1}
        await self.producer.send_offsets_to_transaction(offsets, self.order.name)
        await self.producer.commit_transaction()

    async def _send(self, records: Sequence[ConsumerRecord]) -> None:
        sent = []
        batch, size = self.producer.create_batch(), 0
        for record in records:
            if size > _BATCH_BYTES:
                sent.append(await self._close(batch))
                batch, size = self.producer.create_batch(), 0
            batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
            size += len(record.value)
        sent.append(await self._close(batch))
        for future in sent:
            await future

    async def _close(self, batch: Any) -> Any:
        batch.close()
        return await self.producer.send_batch(batch, self.order.options["target"], partition=self.place.partition)
