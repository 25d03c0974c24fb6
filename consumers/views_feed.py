"""Views over HTTP, for a party without a Kafka client: pages after a cursor, with a long poll.

The cursor is the place of the next record in the party's own views topic, so the feed keeps nothing about
who has read what: a page asked for twice is given twice, under the same ids.
"""

import asyncio
import base64
import binascii
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.errors import SamspilError, UnreachableError

MOST_VIEWS = 100
MOST_READERS = 64  # long polls at once
MOST_OF_A_PARTY = 4  # of these: no party takes the others' place
_KEPT_READERS = 8  # open consumers kept for the next request
_PATIENCE = 10.0
_CURSOR = re.compile(r"v1\.([0-9]{1,18})")


class CursorError(SamspilError):
    """This is no cursor of the feed."""


class ExpiredCursorError(SamspilError):
    """The views after this cursor are no longer kept."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some views as structured CloudEvents, and where the next page begins."""

    views: tuple[dict[str, Any], ...]
    cursor: str


def cursor_of(place: int) -> str:
    """Return the cursor of a place in a topic."""
    return base64.urlsafe_b64encode(f"v1.{place}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> int:
    """Return the place that a cursor names. Raises CursorError."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise CursorError from None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise CursorError
    return int(found[1])


def structured(headers: Sequence[tuple[str, bytes]], value: bytes) -> dict[str, Any]:
    """Return a view's record as a structured CloudEvent."""
    attributes = {name.removeprefix("ce_"): text.decode() for name, text in headers if name.startswith("ce_")}
    return {**attributes, "datacontenttype": "application/json", "data": orjson.loads(value)}


class ViewsFeed:
    """Reads the views of any party, read_committed, with the gateway's own Kafka principal."""

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        """Take a way to make an AIOKafkaConsumer: read_committed, without a group, offset reset `none`."""
        self._make = consumer
        self._kept: list[AIOKafkaConsumer] = []
        self._readers: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        while self._kept:
            await self._kept.pop().stop()

    async def page(self, party: str, after: str | None, wait: float) -> Page:
        """Return the next views of a party. Raises CursorError, ExpiredCursorError, UnreachableError."""
        place = None if after is None else place_of(after)
        try:
            async with asyncio.timeout(_PATIENCE + wait), self._reader(party) as reader:
                return await _read(reader, TopicPartition(topics.views(party), 0), place, wait)
        except (KafkaError, TimeoutError, OSError):
            raise UnreachableError(topics.views(party)) from None

    @asynccontextmanager
    async def _reader(self, party: str) -> AsyncIterator[AIOKafkaConsumer]:
        if self._readers[party] >= MOST_OF_A_PARTY or self._readers.total() >= MOST_READERS:
            raise UnreachableError("too many readers are waiting")
        self._readers[party] += 1
        reader = self._kept.pop() if self._kept else None
        try:
            if reader is None:
                reader = self._make()
                await reader.start()
            yield reader
        except BaseException:
            # A reader that was interrupted may hold half an answer: the next request gets another one.
            if reader is not None:
                await asyncio.shield(reader.stop())
            raise
        else:
            await self._keep(reader)
        finally:
            self._readers[party] -= 1

    async def _keep(self, reader: AIOKafkaConsumer) -> None:
        reader.unsubscribe()
        if len(self._kept) < _KEPT_READERS:
            self._kept.append(reader)
        else:
            await reader.stop()


async def _read(reader: AIOKafkaConsumer, topic: TopicPartition, place: int | None, wait: float) -> Page:
    start: int = (await reader.beginning_offsets([topic]))[topic]
    end: int = (await reader.end_offsets([topic]))[topic]
    if place is not None and not start <= place <= end:
        raise ExpiredCursorError
    reader.assign([topic])
    reader.seek(topic, start if place is None else place)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        views = await _next(reader, topic, until - loop.time())
        position = await reader.position(topic)
        # Behind the end there is more to come at once: erased views and markers of transactions give nothing.
        if views or (position >= end and loop.time() >= until):
            return Page(views, cursor_of(position))


async def _next(reader: AIOKafkaConsumer, topic: TopicPartition, wait: float) -> tuple[dict[str, Any], ...]:
    milliseconds = int(max(0.05, min(wait, 1.0)) * 1000)
    found = await reader.getmany(topic, timeout_ms=milliseconds, max_records=MOST_VIEWS)
    records = found.get(topic, ())
    return tuple(structured(record.headers, record.value) for record in records if record.value is not None)
