"""A consumer that lets a moment pass between two fetches, so that events come in company.

aiokafka asks again as soon as it was answered. At fifty events a second each then comes alone, and costs every process
on its way a request, a wake-up and a transaction of its own: that, and not judging, is what fills two cores
(deploy/bench/README.md). The moment counts from when the last fetch was due: after a longer silence nothing waits.

Leans on private attributes of aiokafka 0.14.0: tests/contract/test_faust_attributes.py holds each.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer

Fetch: TypeAlias = Callable[[Any, int, Any], Awaitable[bool]]


class Pace:
    """When a fetch is due, broker by broker: a pace after the one before was due, or now after a longer silence."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: dict[int, float] = {}  # by broker: when it may be asked again

    def wait(self, broker: int, now: float) -> float:
        """Return how long a fetch has to wait now, and take it for sent then (seconds)."""
        at = max(now, self._next.get(broker, now))
        self._next[broker] = at + self._seconds
        return at - now


class PacedConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # untyped
    """An AIOKafkaConsumer with a pace, in seconds; 0: none."""

    def __init__(self, *topics: str, pace: float = 0.0, **named: Any) -> None:
        """Take what an AIOKafkaConsumer takes."""
        super().__init__(*topics, **named)
        self._pace = Pace(pace)

    async def start(self) -> None:
        """Start. Raises what an AIOKafkaConsumer raises."""
        await super().start()
        self._fetcher._proc_fetch_request = self._paced(self._fetcher._proc_fetch_request)  # noqa: SLF001 - its only way in

    def _paced(self, fetch: Fetch) -> Fetch:
        async def waited(assignment: Any, broker: int, request: Any) -> bool:
            try:
                await asyncio.sleep(self._pace.wait(broker, asyncio.get_running_loop().time()))
            except asyncio.CancelledError:  # closed, or assigned anew: the client's own fetch ends so too
                return False
            return await fetch(assignment, broker, request)

        return waited
