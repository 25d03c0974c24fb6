"""Closing the file of an inbox that was cut, so that the broker can delete it.

Kafka deletes whole segments and never the one that it writes to: what was cut would lie in its file until the
party's next word. A record with nothing in it, said a moment after the last cut, starts a new segment (the
inboxes' segment.ms is shorter than that moment). ADMIT passes it over.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.log_events import LogEvent
from schemas.records import Headers, Inbound

_QUIET_SECONDS = 2.0  # longer than the inboxes' segment.ms: else a sweep would lie in the file that it is to close
_MARK: Headers = (("samspil-sweep", b""),)

log = structlog.get_logger()


def is_sweep(record: Inbound) -> bool:
    """Whether a record holds nothing at all, and says so."""
    return not record.value and record.key is None and record.headers == _MARK


class Sweep:
    """Sweeps each inbox once it has been quiet for a moment after a cut."""

    def __init__(self, connection: Mapping[str, Any], fail: Callable[[BaseException], None]) -> None:
        """`fail` ends the process."""
        self._fail = fail
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()  # inboxes fall silent together; one producer serves them all
        self._due: dict[TopicPartition, asyncio.TimerHandle] = {}
        self._cut: dict[TopicPartition, int] = {}
        self._swept: dict[TopicPartition, int] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopping = False

    def after(self, place: TopicPartition, cut: int) -> None:
        """Sweep when nothing more was cut for a moment, unless all that was cut now is our own sweep.

        What a party said just before a sweep, and is cut together with it, lies in one file with it.
        """
        before, self._cut[place] = self._cut.get(place), cut
        if self._swept.get(place) == cut - 1 and before in {cut - 1, cut}:
            return
        self._wait(place)

    async def stop(self) -> None:
        """End; what was not swept is swept when it is claimed again."""
        self._stopping = True
        for due in self._due.values():
            due.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._disconnect()

    def _wait(self, place: TopicPartition) -> None:
        if place in self._due:
            self._due[place].cancel()
        self._due[place] = asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._begin, place)

    def _begin(self, place: TopicPartition) -> None:
        del self._due[place]
        task = asyncio.create_task(self._sweep(place))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _sweep(self, place: TopicPartition) -> None:
        try:
            producer = await self._connect()
            said = await producer.send_and_wait(place.topic, b"", partition=place.partition, headers=list(_MARK))
        except (KafkaError, OSError) as error:
            log.warning(LogEvent.TRUNCATION_FAILED, count=1, error=type(error).__name__)
            await self._disconnect()
            if not self._stopping:
                self._wait(place)
            return
        self._swept[place] = said.offset

    async def _connect(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._connection, acks="all", enable_idempotence=True)
                await producer.start()
                self._producer = producer
            return self._producer

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
