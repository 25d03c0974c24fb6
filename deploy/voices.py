"""How a party says things for the command line: through the gateway, or straight into its inbox on Kafka.

Either way it comes back with the verdict of that very saying: an id said twice has two.
"""

import asyncio
import time
from typing import Any

from consumers.subscriber import Answers
from deploy.scenario_file import Deposit
from producers.kafka_publisher import KafkaPublisher
from producers.publisher import Publisher
from schemas.errors import UnreachableError

PATIENCE = 60.0  # seconds for a verdict
_LOOK_AGAIN = 0.1


class HttpVoice:
    """A party through the gateway."""

    def __init__(self, publisher: Publisher) -> None:
        """Speak with this publisher's token."""
        self._publisher = publisher

    async def deposit(self, deposit: Deposit) -> None:
        await self._publisher.deposit(deposit.ref, deposit.case, deposit.field, deposit.value)

    async def say(self, event: bytes, id_: str | None = None) -> dict[str, Any]:  # noqa: ARG002 - the other voice needs it
        """Return the verdict; still `pending` only where the bus takes minutes."""
        verdict = await self._publisher.publish(event)
        until = time.monotonic() + PATIENCE
        while verdict["verdict"] == "pending" and time.monotonic() < until:
            await asyncio.sleep(_LOOK_AGAIN)
            verdict = await self._publisher.verdict(verdict["id"]) or verdict
        return verdict


class KafkaVoice:
    """A party with its own Kafka login; deposits, and the news that an event was accepted, come over HTTP.

    A refusal, and that something was said before, stand on the party's refusals topic with the place of the
    saying. That it was accepted for the first time is told by the gateway alone.
    """

    def __init__(self, publisher: Publisher, kafka: KafkaPublisher, answers: Answers) -> None:
        """Take the party's clients, started."""
        self._publisher = publisher
        self._kafka = kafka
        self._answers = answers

    async def deposit(self, deposit: Deposit) -> None:
        await self._publisher.deposit(deposit.ref, deposit.case, deposit.field, deposit.value)

    async def say(self, event: bytes, id_: str | None = None) -> dict[str, Any]:
        """Return the verdict. `id_`: the event's, where it can be read. Raises UnreachableError."""
        before = await self._accepted(id_)
        offset = await self._kafka.publish(event)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if answer := await self._answers.to(offset, _LOOK_AGAIN):
                return answer
            if before is None and (verdict := await self._accepted(id_)):
                return verdict
        raise UnreachableError("no verdict came.")

    async def _accepted(self, id_: str | None) -> dict[str, Any] | None:
        verdict = None if id_ is None else await self._publisher.verdict(id_)
        return verdict if verdict and verdict["verdict"] == "accepted" else None
