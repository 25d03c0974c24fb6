"""Reading the log: each record counted (raw), or told again as the auditor does."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from consumers.audit.evidence import Stored
from consumers.audit.findings import Finding
from consumers.audit.retelling import Retelling
from consumers.kept_records import inbound
from deploy import garbage
from deploy.bench.order import Order
from schemas.contract_files import load_all

_POLL_MS = 200


def run(order: Order) -> None:
    garbage.look_seldom()
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    retelling = Retelling(load_all(Path(order.policies))) if order.options["retold"] else None
    consumer = AIOKafkaConsumer(
        **order.aiokafka, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="none"
    )
    await consumer.start()
    ends = {TopicPartition(topic, partition): end for topic, partition, end in order.options["ends"]}
    consumer.assign(list(ends))
    for place in ends:
        consumer.seek(place, 0)
    order.wait()
    began, count, findings = time.time(), 0, 0
    async for records in _below(consumer, ends):
        count += len(records)
        if retelling is not None:
            for record in records:
                findings += isinstance(retelling.tell(Stored(inbound(record), record.timestamp)), Finding)
    ended = time.time()
    await consumer.stop()
    order.answer({"began": began, "ended": ended, "records": count, "findings": findings})


async def _below(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[list[ConsumerRecord]]:
    left = set(ends)
    while left:
        for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
            yield records
        left = {place for place in left if await consumer.position(place) < ends[place]}
