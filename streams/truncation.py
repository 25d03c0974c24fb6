"""Emptying an inbox once its records are judged, so that what a careless client wrote does not stay.

Only up to a committed offset: what is not judged yet is never cut. A round that fails is tried again, and
each claim asks once for all that was committed before it, so a crash between commit and cut leaves nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from schemas.log_events import LogEvent
from streams.sweep import Sweep

_PAUSE_SECONDS = 1.0  # between rounds: for each the client asks the broker for all topics that there are

log = structlog.get_logger()


class Truncation:
    """Cuts inboxes in the background: one round at a time, each for all inboxes that wait."""

    def __init__(self, connection: Mapping[str, Any], fail: Callable[[BaseException], None]) -> None:
        """`fail` ends the process."""
        self._fail = fail
        self._stopping = False
        self._connection = connection
        self._sweep = Sweep(connection, fail)
        self._waiting: dict[TopicPartition, int] = {}
        self._asked = asyncio.Event()
        self._admin: AIOKafkaAdminClient | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self, place: TopicPartition, offset: int) -> None:
        """Have everything below a committed offset removed, soon."""
        if offset > 0:
            self._waiting[place] = max(offset, self._waiting.get(place, 0))
            self._asked.set()

    def start(self) -> None:
        """Begin to cut. Should that ever end by itself, the process must: what was written would stay."""
        self._task = asyncio.create_task(self._run(), name="truncation")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not self._stopping:
            self._fail(asyncio.CancelledError() if task.cancelled() else task.exception() or asyncio.CancelledError())

    async def stop(self) -> None:
        """Do a last round, then end."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._round()
        await self._sweep.stop()
        await self._disconnect()

    async def _run(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            if not await self._round():
                self._asked.set()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _round(self) -> bool:
        cut = dict(self._waiting)
        if not cut:
            return True
        try:
            admin = await self._connect()
            await admin.delete_records({place: RecordsToDelete(offset) for place, offset in cut.items()})
        except (KafkaError, OSError) as error:
            log.warning(LogEvent.TRUNCATION_FAILED, count=len(cut), error=type(error).__name__)
            await self._disconnect()
            return False
        for place, offset in cut.items():
            log.debug(LogEvent.INBOX_TRUNCATED, topic=place.topic, offset=offset)
            self._sweep.after(place, offset)
            if self._waiting[place] == offset:
                del self._waiting[place]
        return True

    async def _connect(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._connection)
            await admin.start()
            self._admin = admin
        return self._admin

    async def _disconnect(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()
