"""Writing to Kafka so that "acknowledged" is true: idempotent, acks=all, each record awaited, work bounded.

What the broker does not take in time is answered with "not now" and never with an acknowledgement. Such a
record may still arrive: an event said again under its id is a duplicate then, which the bus answers with
its first verdict.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import BusyError
from schemas.log_events import LogEvent
from schemas.records import Outbound

IN_FLIGHT = 1_000  # records that may wait for the broker at once
PATIENCE = 10.0  # seconds that one record may take

log = structlog.get_logger()


class AcknowledgedSender:
    """Sends records and returns their offsets once every in-sync replica has them.

    After a failure the producer is replaced: an idempotent one that lost its sequence stays stuck (aiokafka
    issue 1017).
    """

    def __init__(
        self, producer: Callable[[], AIOKafkaProducer], in_flight: int = IN_FLIGHT, patience: float = PATIENCE
    ) -> None:
        """Take a way to make an idempotent AIOKafkaProducer with acks=all."""
        self._make = producer
        self._producer: AIOKafkaProducer | None = None
        self._patience = patience
        self._free = in_flight
        self._replacing = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._producer = await self._started()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
        await asyncio.gather(*self._stopping)

    async def __call__(self, record: Outbound) -> int:
        """Send a record, wait for the acknowledgement, return the offset. Raises BusyError."""
        if self._free == 0:
            raise BusyError("too many records are waiting")
        self._free -= 1
        try:
            return await self._acknowledged(record)
        finally:
            self._free += 1

    async def _acknowledged(self, record: Outbound) -> int:
        producer = self._producer
        try:
            async with asyncio.timeout(self._patience):
                producer = producer or await self._replace(None)
                sending = await producer.send(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
                return int((await asyncio.shield(sending)).offset)
        except (KafkaError, TimeoutError, OSError) as error:
            self._discard(producer)
            log.warning(LogEvent.BROKER_BUSY, topic=record.topic, error=type(error).__name__)
            raise BusyError(type(error).__name__) from None

    async def _started(self) -> AIOKafkaProducer:
        producer = self._make()
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _replace(self, failed: AIOKafkaProducer | None) -> AIOKafkaProducer:
        async with self._replacing:
            if self._producer is failed:
                self._producer = await self._started()
            return self._producer

    def _discard(self, failed: AIOKafkaProducer | None) -> None:
        if failed is not None and self._producer is failed:
            self._producer = None
            # Stopping flushes, which can take as long as the broker is away: no request waits for that.
            stopping = asyncio.create_task(_stop(failed, self._patience))
            self._stopping.add(stopping)
            stopping.add_done_callback(self._stopping.discard)


async def _stop(producer: AIOKafkaProducer, patience: float) -> None:
    """End it in order or, where the broker does not answer in time, without what it was given.

    A stop that is interrupted has no second try: its sending task and its sockets would stay for ever. The task ends
    when its last request has timed out, which takes the connections that it needs for that.
    """
    try:
        async with asyncio.timeout(patience):
            await producer.stop()
    except (KafkaError, TimeoutError, OSError):
        with suppress(KafkaError):
            await producer._sender.close()  # noqa: SLF001 - nothing public ends it
        await producer.client.close()
