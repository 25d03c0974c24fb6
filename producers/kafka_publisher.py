"""How a party speaks to the bus with its own Kafka credentials: straight into its inbox.

The record carries the event as given, in structured mode; ADMIT judges it and rebuilds it. Verdicts come on
the party's refusals topic, or as views to others; references are deposited over HTTP all the same.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import orjson
from aiokafka import AIOKafkaProducer

from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.attributes import CONTENT_TYPE, STRUCTURED
from schemas.records import Headers, Outbound

_HEADERS: Headers = ((CONTENT_TYPE, STRUCTURED.encode()),)


class KafkaPublisher:
    """One party's voice over Kafka; an offset is returned once every in-sync replica has the event."""

    def __init__(self, party: str, producer: Callable[[], AIOKafkaProducer]) -> None:
        """Take a way to make an idempotent producer (acks=all) with the party's credentials."""
        self._inbox = topics.inbox(party)
        self._key = party.encode()
        self._send = AcknowledgedSender(producer)

    async def __aenter__(self) -> Self:
        await self._send.__aenter__()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._send.__aexit__(type_, error, trace)

    async def publish(self, event: bytes | Mapping[str, Any]) -> int:
        """Say an event (a structured CloudEvent) and return its offset in the inbox. Raises BusyError."""
        value = event if isinstance(event, bytes) else orjson.dumps(event)
        # The key is the party's, never the subject: nobody has looked yet whether that is a case's id or a person's.
        return await self._send(Outbound(self._inbox, 0, self._key, value, _HEADERS))
