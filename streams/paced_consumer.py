"""A consumer that lets a moment pass between two fetches, so that events come in company.

aiokafka asks again as soon as it was answered. At fifty events a second each then comes alone, and costs every process
on its way a request, a wake-up and a transaction of its own: that, and not judging, is what fills two cores
(deploy/bench/README.md). The moment counts from when the last fetch was sent: after a longer silence nothing waits.

What waited is not sent: the client makes another request then, which asks for all that there is to ask for by now.

Leans on private attributes of aiokafka 0.14.0: tests/contract/test_faust_attributes.py holds each.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer

Fetch: TypeAlias = Callable[[Any, int, Any], Awaitable[bool]]


class Pace:
    """When a fetch may be sent, broker by broker: a pace after the one before, or now after a longer silence."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: dict[int, float] = {}  # by broker: when it may be asked again

    def left(self, broker: int, now: float) -> float:
        """Return how long a fetch must wait yet (seconds)."""
        return max(0.0, self._next.get(broker, now) - now)

    def sent(self, broker: int, now: float) -> None:
        """Take note that a fetch is sent now."""
        self._next[broker] = now + self._seconds


class PacedConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # untyped
    """An AIOKafkaConsumer with a pace, in seconds; 0: none."""

    def __init__(self, *topics: str, pace: float = 0.0, **named: Any) -> None:
        """Take what an AIOKafkaConsumer takes."""
        super().__init__(*topics, **named)
        self._pace = pace

    async def start(self) -> None:
        """Start. Raises what an AIOKafkaConsumer raises."""
        await super().start()
        if self._pace:
            fetcher = self._fetcher
            fetcher._proc_fetch_request = _paced(fetcher._proc_fetch_request, Pace(self._pace))  # noqa: SLF001 - its only way in


def _paced(fetch: Fetch, pace: Pace) -> Fetch:
    async def waited(assignment: Any, broker: int, request: Any) -> bool:
        clock = asyncio.get_running_loop().time
        if left := pace.left(broker, clock()):
            with suppress(asyncio.CancelledError):  # closed, or assigned anew: the client's own fetch ends so too
                await asyncio.sleep(left)
            return False  # nothing new
        pace.sent(broker, clock())
        return await fetch(assignment, broker, request)

    return waited
