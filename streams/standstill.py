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

    def __init__(self, limit: float, gap: float) -> None:
        """`gap`: the most seconds that may lie between two looks.

        What lies beyond is time in which nobody looked: this process was frozen, or the broker could not be asked.
        It says nothing against what waits, so it does not count.
        """
        self._limit = limit
        self._gap = gap
        self._waits: dict[Thing, _Wait] = {}
        self._looked = 0.0

    def over(self, waiting: Mapping[Thing, int], now: float) -> dict[Thing, float]:
        """Return what stood still for too long, and for how many seconds.

        `waiting`: what waits now, with a mark that changes whenever it moves. What does not wait is not in it.
        """
        passed = min(now - self._looked, self._gap)
        self._looked = now
        self._waits = {thing: self._still(thing, mark, passed) for thing, mark in waiting.items()}
        return {thing: wait.seconds for thing, wait in self._waits.items() if wait.seconds > self._limit}

    def _still(self, thing: Thing, mark: int, passed: float) -> _Wait:
        before = self._waits.get(thing)
        if before is None or before.mark != mark:
            return _Wait(mark)
        return _Wait(mark, before.seconds + passed)
