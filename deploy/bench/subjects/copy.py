"""The ceiling: aiokafka copying the admitted records to one topic in batches, judging nothing.

With transactions as the bus has them: one producer a partition, all at once, offsets within. Without: one
idempotent producer, and the offsets committed now and then.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from deploy import garbage
from deploy.bench.order import Order

_BATCH_BYTES = 512 * 1024
_MOST_BYTES = 4 * 1024 * 1024
_POLL_MS = 100
_COMMIT_MS = 500


def run(order: Order) -> None:
    garbage.look_seldom()
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    source, target, partitions = (order.options[name] for name in ("source", "target", "partitions"))
    consumer = AIOKafkaConsumer(
        **order.aiokafka,
        group_id=order.name,
        isolation_level="read_committed",
        enable_auto_commit=not order.options["transactional"],
        auto_commit_interval_ms=_COMMIT_MS,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    places = [TopicPartition(source, partition) for partition in range(partitions)]
    consumer.assign(places)
    names = [f"{order.name}.{place.partition}" for place in places] if order.options["transactional"] else [None]
    producers = [_producer(order, name) for name in names]
    await asyncio.gather(*(producer.start() for producer in producers))
    order.say_ready()
    async with asyncio.TaskGroup() as group:
        for number, place in enumerate(places):
            copy = _Copy(consumer, producers[number % len(producers)], place, target, order)
            group.create_task(copy.run())


def _producer(order: Order, transactional_id: str | None) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **order.aiokafka,
        acks="all",
        enable_idempotence=True,
        transactional_id=transactional_id,
        max_batch_size=_MOST_BYTES,
        max_request_size=2 * _MOST_BYTES,
    )


class _Copy:
    """One partition's copying."""

    def __init__(
        self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, place: TopicPartition, target: str, order: Order
    ) -> None:
        self._consumer, self._producer, self._place, self._target = consumer, producer, place, target
        self._group, self._most = order.name, order.options["batch"]
        self._transactional = order.options["transactional"]

    async def run(self) -> None:
        while True:
            found = await self._consumer.getmany(self._place, timeout_ms=_POLL_MS, max_records=self._most)
            if records := found.get(self._place):
                await self._copy(records)

    async def _copy(self, records: Sequence[ConsumerRecord]) -> None:
        if not self._transactional:
            await self._send(records)
            return
        await self._producer.begin_transaction()
        await self._send(records)
        offsets = {self._place: records[-1].offset + 1}
        await self._producer.send_offsets_to_transaction(offsets, self._group)
        await self._producer.commit_transaction()

    async def _send(self, records: Sequence[ConsumerRecord]) -> None:
        sent = []
        batch, size = self._producer.create_batch(), 0
        for record in records:
            if size > _BATCH_BYTES:
                sent.append(await self._close(batch))
                batch, size = self._producer.create_batch(), 0
            batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
            size += len(record.value)
        sent.append(await self._close(batch))
        for future in sent:
            await future

    async def _close(self, batch: Any) -> Any:
        batch.close()
        return await self._producer.send_batch(batch, self._target, partition=self._place.partition)
