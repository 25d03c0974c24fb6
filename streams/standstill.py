"""How long something has waited without moving. Pure: time is an argument."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


@dataclass(slots=True)
class _Wait:
    mark: int
    seconds: float = 0.0


class Standstill(Generic[Thing]):
    """Tells what has waited longer than its limit at one and the same mark."""

    def __init__(self, limit: float, most: float) -> None:
        """`most`: seconds that one look may count.

        What passed beyond them, nobody looked: this process was frozen, or the answer was long in coming. It says
        nothing against what waits. So nothing is over its limit before it was looked at `limit / most` times.
        """
        self._limit = limit
        self._most = most
        self._waits: dict[Thing, _Wait] = {}
        self._looked: float | None = None

    def over(self, waiting: Mapping[Thing, int], now: float) -> dict[Thing, float]:
        """Return what stood still for too long, and for how many seconds.

        `waiting`: what waits now, with a mark that changes whenever it moves. What does not wait is not in it.
        """
        passed = 0.0 if self._looked is None else min(now - self._looked, self._most)
        self._looked = now
        self._waits = {thing: self._still(thing, mark, passed) for thing, mark in waiting.items()}
        return {thing: wait.seconds for thing, wait in self._waits.items() if wait.seconds > self._limit}

    def pass_over(self) -> None:
        """Note a look that found nothing out: no time counts until after the next one that does."""
        self._looked = None

    def _still(self, thing: Thing, mark: int, passed: float) -> _Wait:
        before = self._waits.get(thing)
        if before is None or before.mark != mark:
            return _Wait(mark)
        return _Wait(mark, before.seconds + passed)
