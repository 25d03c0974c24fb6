"""The data protection officer's voice on Kafka: an order into the own inbox, its answer on the own refusals topic."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy import clients
from deploy.settings import Settings
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.errors import UnreachableError
from schemas.orders import ORDERER, Kind, Order, Reason, order_record

PATIENCE = 60.0  # seconds until an answer: a worker that was killed is replaced within ten
_POLL_MS = 200
_ANSWERS = TopicPartition(topics.refusals(ORDERER), 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order; `reason` where it was not carried out, `before` where it had been already."""

    reason: str | None
    before: bool


@dataclass(frozen=True, slots=True)
class Officer:
    """Gives orders, one at a time."""

    send: AcknowledgedSender
    ear: AIOKafkaConsumer

    async def order(self, kind: Kind, case: str, reason: Reason | None = None) -> Answer:
        """Give an order and wait for its answer. Raises UnreachableError, BusyError."""
        order = Order(str(uuid4()), kind, case, reason)
        await self.send(order_record(order))
        said = await self._answer_to(order)
        return Answer(said.get("reason"), bool(said.get("duplicate")))

    async def close_files(self, partition: int) -> None:
        """Have the files closed that a case of this partition may stand in.

        The order names no case that there is: else the order itself would stand in those files.
        """
        answer = await self.order("sweep", some_case_in(partition))
        if answer.reason is not None:
            raise UnreachableError(f"the worker: it did not close its files ({answer.reason}).")

    async def _answer_to(self, order: Order) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for record in (await self.ear.getmany(_ANSWERS, timeout_ms=_POLL_MS)).get(_ANSWERS, ()):
                if record.key == order.id.encode():
                    said: dict[str, Any] = orjson.loads(record.value)
                    return said
        raise UnreachableError("no worker answers; is one running? The order stands, and is carried out by the next.")


def some_case_in(partition: int) -> str:
    """Return a random case id that lives in a partition."""
    while topics.partition_of((case := str(uuid4())).encode()) != partition:
        pass
    return case


@asynccontextmanager
async def officer(settings: Settings) -> AsyncIterator[Officer]:
    """Sign in as the data protection officer, whose inbox nobody else can write to."""
    access = settings.kafka(ORDERER)
    ear = clients.consumer(access)
    try:
        await ear.start()
        ear.assign([_ANSWERS])
        await ear.seek_to_end(_ANSWERS)
        await ear.position(_ANSWERS)  # from here on nothing is missed
        async with AcknowledgedSender(partial(clients.producer, access)) as send:
            yield Officer(send, ear)
    finally:
        await ear.stop()
