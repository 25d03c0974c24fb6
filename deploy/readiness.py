"""Whether this bus can serve: database and broker answer, and the projector follows the log.

Progress is asked, not presence: a projector that stands still is not ready, whether or not its process lives.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from schemas import topics
from schemas.errors import SamspilError

POSITIONS = (files(__package__) / "sql" / "positions.sql").read_text()
READ_MODEL = "case_states"
PATIENCE = 2.0
ASKED_EVERY = 1.0  # seconds
_LOOK_AGAIN = 0.05

Positions = Callable[[], Awaitable[dict[int, int]]]
Ends = Callable[[], Awaitable[dict[int, int]]]
Clock = Callable[[], float]
_UNREADY = (
    OSError,
    TimeoutError,
    SamspilError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Three questions, answered apart: yes or no."""

    positions: Positions  # of the read model, by partition of the cases topic
    ends: Ends  # of these partitions, as committed

    async def asked(self) -> dict[str, bool]:
        positions, ends = await asyncio.gather(_tried(self.positions()), _tried(self.ends()))
        following = positions is not None and ends is not None and await self._follows(ends)
        return {"database": positions is not None, "broker": ends is not None, "projector": following}

    async def _follows(self, ends: dict[int, int]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                while not _reached(await self.positions(), ends):  # noqa: ASYNC110 - it is in the database
                    await asyncio.sleep(_LOOK_AGAIN)
        except _UNREADY:
            return False
        return True


class RecentReadiness:
    """The answer of a moment ago, asked for once however many want it: the address is open to everybody."""

    def __init__(self, ask: Callable[[], Awaitable[dict[str, bool]]], clock: Clock = time.monotonic) -> None:
        """Take who is to be asked."""
        self._ask = ask
        self._clock = clock
        self._asking = asyncio.Lock()
        self._answer: dict[str, bool] = {}
        self._good_until = -math.inf

    async def asked(self) -> dict[str, bool]:
        """Return whether database, broker and projector do their work, or did a second ago."""
        async with self._asking:
            if self._clock() >= self._good_until:
                self._answer = await self._ask()
                self._good_until = self._clock() + ASKED_EVERY
            return self._answer


async def _tried(question: Awaitable[dict[int, int]]) -> dict[int, int] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await question
    except _UNREADY:
        return None


def _reached(positions: dict[int, int], ends: dict[int, int]) -> bool:
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())


def positions_of(pool: asyncpg.Pool) -> Positions:
    """Return the question for the read model's positions."""

    async def positions() -> dict[int, int]:
        rows = await pool.fetch(POSITIONS, READ_MODEL, topics.CASES)
        return {row["partition"]: row["position"] for row in rows}

    return positions
