"""A paced consumer on a real broker: what it leaves out is time, never a record."""

import asyncio
from itertools import pairwise
from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.protocol.fetch import FetchRequest

from consumers.runner import started
from deploy import clients
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.records import Outbound
from tests.brokers import RunningKafka
from tests.waiting import eventually

PARTY = "sof"
PLACE = TopicPartition(topics.views(PARTY), 0)
PACE = 0.2
LATE = PACE / 4  # one may be noted so much later than it was sent
WITHIN = 20.0
LONG = 1.0
FOREVER = 3_600.0


def something(place: TopicPartition = PLACE) -> Outbound:
    return Outbound(place.topic, place.partition, str(uuid4()).encode(), b"{}", ())


def fetches_of(consumer: Any) -> list[float]:
    """Return a list that will hold when each fetch is sent."""
    sent, send = [], consumer._client.send

    async def noted(node: int, request: Any, **named: Any) -> Any:
        if isinstance(request, FetchRequest):
            sent.append(asyncio.get_running_loop().time())
        return await send(node, request, **named)

    consumer._client.send = noted
    return sent


async def test_records_come_in_order_and_no_more_fetches_than_there_is_time_for(
    emptied: RunningKafka, write: AcknowledgedSender
) -> None:
    async with started(clients.consumer(emptied.access(), pace=PACE)) as consumer, asyncio.timeout(WITHIN):
        sent = fetches_of(consumer)
        consumer.assign([PLACE])
        await consumer.seek_to_end(PLACE)
        await consumer.position(PLACE)
        said = [something() for _ in range(5)]
        heard = []
        for record in said:
            await write(record)
            heard.append((await consumer.getone(PLACE)).key)
    assert heard == [record.key for record in said]
    assert len(sent) >= len(said)
    assert all(later - earlier >= PACE - LATE for earlier, later in pairwise(sent))


async def after_one_record(consumer: Any, write: AcknowledgedSender) -> list[float]:
    """Read one record, so that the next fetch waits for its turn; return when fetches were sent."""
    sent = fetches_of(consumer)
    end = (await consumer.end_offsets([PLACE]))[PLACE]
    await write(something())
    consumer.assign([PLACE])
    consumer.seek(PLACE, end)
    await consumer.getone(PLACE)
    assert await consumer.getmany(PLACE, timeout_ms=20) == {}  # what was read makes room for the next fetch
    await eventually(lambda: bool(consumer._fetcher._in_flight), WITHIN)
    return sent


async def test_one_that_waits_for_its_turn_closes_in_order(emptied: RunningKafka, write: AcknowledgedSender) -> None:
    async with asyncio.timeout(WITHIN), started(clients.consumer(emptied.access(), pace=FOREVER)) as consumer:
        assert len(await after_one_record(consumer, write)) == 1


async def test_one_that_waits_for_its_turn_may_be_given_another_partition(
    emptied: RunningKafka, write: AcknowledgedSender
) -> None:
    other = TopicPartition(topics.views("buf"), 0)
    async with asyncio.timeout(WITHIN), started(clients.consumer(emptied.access(), pace=LONG)) as consumer:
        await after_one_record(consumer, write)
        consumer.assign([other])
        await consumer.seek_to_beginning(other)
        record = something(other)
        await write(record)
        assert (await consumer.getone(other)).key == record.key
