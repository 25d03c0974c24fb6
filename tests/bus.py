"""The bus as the streams tests see it: say things on inboxes, read topics whole, read_committed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from schemas import topics
from schemas.orders import ORDERER, Order, order_record
from tests.brokers import Running
from tests.speech import Saying
from tests.waiting import eventually

Verdict: TypeAlias = dict[str, Any]


class Bus:
    """Says and reads as the admin, so that one connection serves every party."""

    def __init__(self, kafka: Running, producer: AIOKafkaProducer) -> None:
        self._connection = kafka.access().aiokafka()
        self._producer = producer

    async def say(self, sayings: Iterable[Saying]) -> None:
        """Say them in order, each on its party's inbox, and return once all are acknowledged."""
        sent = [await self._send(saying) for saying in sayings]
        for acknowledged in sent:
            await acknowledged

    async def order(self, order: Order) -> Verdict:
        """Give an order as the data protection officer does, and return its answer."""
        record = order_record(order)
        await self._producer.send_and_wait(
            record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
        )

        async def answered() -> Verdict | None:
            records = await self.read(topics.refusals(ORDERER))
            return next((orjson.loads(r.value) for r in records if r.key == order.id.encode()), None)

        return await eventually(answered, timeout=60) or {}

    async def _send(self, saying: Saying) -> "asyncio.Future[object]":
        inbox = topics.inbox(saying.party)
        headers = list(saying.headers)
        acknowledged: asyncio.Future[object] = await self._producer.send(
            inbox, saying.value, key=saying.key, partition=0, headers=headers
        )
        return acknowledged

    async def read(self, *names: str) -> list[ConsumerRecord]:
        """Every committed record of these topics, partition by partition, from the beginning to now."""
        consumer = AIOKafkaConsumer(**self._connection, isolation_level="read_committed", auto_offset_reset="earliest")
        await consumer.start()
        try:
            places = [TopicPartition(name, p) for name in names for p in await _partitions(consumer, name)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            found: list[ConsumerRecord] = []
            while [place for place in places if await consumer.position(place) < ends[place]]:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += records
            return sorted(found, key=lambda r: (r.topic, r.partition, r.offset))
        finally:
            await consumer.stop()

    async def bounds(self, topic: str) -> tuple[int, int]:
        """The oldest offset of a one-partition topic, and its end."""
        consumer = AIOKafkaConsumer(**self._connection)
        await consumer.start()
        try:
            place = TopicPartition(topic, 0)
            return (await consumer.beginning_offsets([place]))[place], (await consumer.end_offsets([place]))[place]
        finally:
            await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, name: str) -> Sequence[int]:
    await consumer._client._wait_on_metadata(name)
    return sorted(consumer.partitions_for_topic(name) or ())


@asynccontextmanager
async def bus(kafka: Running) -> AsyncIterator[Bus]:
    producer = AIOKafkaProducer(**kafka.access().aiokafka(), enable_idempotence=True, acks="all")
    await producer.start()
    try:
        yield Bus(kafka, producer)
    finally:
        await producer.stop()
