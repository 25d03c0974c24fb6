"""The bus's time and the contract in force, as the HTTP side knows them.

On the wall clock that is the time of day. Where the clock follows the events, only the worker has it; here
the newest time that it recorded stands for it, and nothing is ever said to come too early.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from deploy.clock import Clock
from schemas.admission import admit
from schemas.contract import Contract, Contracts
from schemas.envelope import Event
from schemas.records import Headers
from schemas.verdicts import Refusal

_NEVER_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)
Recorded = Callable[[], Awaitable[datetime | None]]


class BusTime:
    """Tells the time and judges admission by it."""

    def __init__(self, contracts: Contracts, clock: Clock, recorded: Recorded) -> None:
        """`recorded` tells the newest time that the bus recorded: asked where the clock follows the events."""
        self._contracts = contracts
        self._clock = clock
        self._recorded = recorded

    async def now(self) -> datetime:
        """Return the time."""
        if self._clock.follows and (newest := await self._recorded()) is not None:
            self._clock.observe(newest)
        return self._clock.now()

    async def in_force(self) -> tuple[datetime, Contract]:
        """Return the time and the contract of that time."""
        now = await self.now()
        return now, self._contracts.at(now)

    async def admission(self, party: str, headers: Headers, value: bytes | None) -> tuple[Contract, Event | Refusal]:
        """Judge a record as ADMIT does, by the contract in force."""
        now, contract = await self.in_force()
        return contract, admit(contract, party, headers, value, _NEVER_AHEAD if self._clock.follows else now)
