"""A party's own ear: its views and refusals from its own topics, by its own Kafka login.

It reads read_committed, so each view comes exactly once; it keeps no place of its own, since a view has a
stable id and the topic keeps it for two weeks.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.kept_records import POLL_MS, OpenConsumer, ends_of, kept
from consumers.views_feed import structured
from schemas import topics
from schemas.attributes import HEADER_PREFIX


class Subscriber:
    """What one party is told."""

    def __init__(self, party: str, open_consumer: OpenConsumer) -> None:
        """`open_consumer` makes an unstarted client with that party's login."""
        self._party = party
        self._open = open_consumer

    async def refusals(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the refusals kept on the party's topic, oldest first, to its present end."""
        ends = await ends_of(self._open, [(topics.refusals(self._party), 0)])
        async for records in kept(self._open, ends):
            for record in records:
                body = orjson.loads(record.value)
                if body["verdict"] == "refused":
                    yield body

    async def listen(self, *, from_beginning: bool = False) -> "Listening":
        """Start to listen to the party's views; from now on nothing is missed."""
        consumer = self._open("read_committed")
        place = TopicPartition(topics.views(self._party), 0)
        await _placed(consumer, place, from_beginning=from_beginning)
        return Listening(consumer)


class Answers:
    """What the bus answers to single sayings on a party's refusals topic: refused, or said before."""

    def __init__(self, party: str, open_consumer: OpenConsumer) -> None:
        """`open_consumer` makes an unstarted client with that party's login."""
        self._place = TopicPartition(topics.refusals(party), 0)
        self._consumer = open_consumer("read_committed")

    async def start(self) -> None:
        """From now on nothing is missed."""
        await _placed(self._consumer, self._place)

    async def stop(self) -> None:
        await self._consumer.stop()

    async def to(self, offset: int, seconds: float) -> dict[str, Any] | None:
        """Return the answer to what was said at this place of the inbox, if it comes in time."""
        place = (HEADER_PREFIX + "inboxoffset", str(offset).encode())
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            found = await self._consumer.getmany(self._place, timeout_ms=int(left * 1000))
            for record in found.get(self._place, ()):
                if place in record.headers:
                    answer: dict[str, Any] = orjson.loads(record.value)
                    return answer
        return None


class Listening:
    """Views as they come."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Take over a client that is in its place."""
        self._consumer = consumer

    async def views(self, *, idle: float | None = None) -> AsyncIterator[dict[str, Any]]:
        """Yield each view as a structured CloudEvent; end after `idle` seconds without one."""
        heard = time.monotonic()
        while idle is None or time.monotonic() - heard < idle:
            for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    if record.value is not None:  # a view that was erased is nothing to show
                        heard = time.monotonic()
                        yield structured(record.headers, record.value)

    async def stop(self) -> None:
        await self._consumer.stop()


async def _placed(consumer: AIOKafkaConsumer, place: TopicPartition, *, from_beginning: bool = False) -> None:
    """Start a client where a partition begins, or where it ends now; one that fails is stopped."""
    try:
        await consumer.start()
        consumer.assign([place])
        await (consumer.seek_to_beginning(place) if from_beginning else consumer.seek_to_end(place))
        await consumer.position(place)  # resolves the seek, so that the end is the end as of now
    except BaseException:
        await consumer.stop()
        raise
