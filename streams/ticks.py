"""Ticks: once a second, what the time has come for is said in each partition, quiet ones too.

A tick never speaks before what was recorded earlier is judged. So it goes by a time that has settled: all that was
stamped before it stands on the admitted topic, or never will; and then asks where that topic ends, transactions under
way included, and waits until the partition's input is drained up to there. Where very many cases are due at once, as
after a long outage, it goes round the partitions, some cases at a time, each round by a newer time.

Four times a day the ticks also have the files of the compacted topics closed, by the wall's clock: Kafka takes what was
erased out of closed files alone, and a quiet topic would never close one.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.clock_times import rfc3339
from schemas.contract import Contracts
from schemas.log_events import LogEvent
from schemas.topics import CLOSE_SECONDS
from streams.admit import Clock
from streams.ownership import Ownership

_SECOND = 1.0

log = structlog.get_logger()


class Ticks:
    """The ticks of one worker. `fail` ends the process."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        ownership: Ownership,
        clock: Clock,
        contracts: Contracts,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._connection = connection
        self._ownership = ownership
        self._clock = clock
        self._contracts = contracts
        self._fail = fail
        self._stopping = asyncio.Event()
        self._closed = _quarter()
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Should the ticks ever end by themselves, the process must: what is due would be forgotten."""
        self._task = asyncio.create_task(self._run(), name="ticks")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End after the round that is under way."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._disconnect()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not self._stopping.is_set():
            self._fail(asyncio.CancelledError() if task.cancelled() else task.exception() or asyncio.CancelledError())

    async def _run(self) -> None:
        while not self._stopping.is_set():
            more = await self._tick()
            if self._closed != (quarter := _quarter()):
                self._closed = quarter
                await self._ownership.close_files()
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _SECOND)

    async def _tick(self) -> bool:
        """Have a turn in each partition where something is due; tell whether more may be."""
        settled = self._clock.settled()
        now, contract = rfc3339(settled), self._contracts.at(settled)
        waiting = self._ownership.waiting(now, contract)
        if not waiting:
            return False
        try:
            ends = await self._ends(waiting)
        except (KafkaError, OSError) as error:
            log.warning(LogEvent.TICK_DELAYED, error=type(error).__name__)
            await self._disconnect()
            return False
        more = [await self._ownership.tick(place, now, contract, ends[place]) for place in waiting]
        return any(more)

    async def _ends(self, places: tuple[TopicPartition, ...]) -> dict[TopicPartition, int]:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(**self._connection, enable_auto_commit=False)
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(places))
        return ends

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()


def _quarter() -> int:
    return int(time.time()) // CLOSE_SECONDS
