"""Plays a scenario: each party speaks for itself, and only once the one before has its verdict."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from deploy.scenario_file import Deposit, Line, Utterance


class Voice(Protocol):
    """How a party deposits and says."""

    async def deposit(self, deposit: Deposit) -> None:
        """Put a value into the vault."""

    async def say(self, event: bytes, id_: str | None = None) -> dict[str, Any]:
        """Say an event, structured, with its id where it has one; return its verdict."""


async def play_scenario(
    lines: Sequence[Line], voice_of: Callable[[str], Voice], speed: float | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield a verdict per event. `speed`: how many times as fast as it happened; None for as fast as it goes."""
    pace = _Pace(speed)
    for line in lines:
        voice = voice_of(line.party)
        if isinstance(line, Deposit):
            await voice.deposit(line)
            continue
        await pace.until(line)
        yield await voice.say(json.dumps(line.event).encode(), line.id)


class _Pace:
    """Waits until an event is due. It never runs backwards: an event said again is due at once."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: tuple[datetime, float] | None = None

    async def until(self, line: Utterance) -> None:
        if self._speed is None or line.time is None:
            return
        clock = asyncio.get_running_loop().time
        if self._start is None:
            self._start = (line.time, clock())
        first, began = self._start
        due = began + (line.time - first).total_seconds() / self._speed
        await asyncio.sleep(max(0.0, due - clock()))
