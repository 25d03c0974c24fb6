"""When the vault is looked through for what is over: once in each hour of the bus's clock, and of the wall's.

Terms end with hours. The wall's hours count too, since a bus whose clock stands still may release a hold.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import NoReturn

import asyncpg
import structlog

from consumers.case_ends import CaseEnds
from consumers.runner import PASSING
from consumers.vault_removal import VaultRemoval
from deploy import clients
from deploy.bus_time import BusTime
from deploy.clock import EventsClock, WallClock
from deploy.judged import Judged
from deploy.kafka_access import KafkaAccess
from schemas.contract import Contract, Contracts
from schemas.log_events import LogEvent

NEWEST_RECORDED = (files("producers") / "sql" / "newest_recorded.sql").read_text()
_LOOK_EVERY = 10.0  # seconds

Hours = tuple[datetime, datetime]
log = structlog.get_logger()


class Removals:
    """Runs a removal whenever an hour is over."""

    def __init__(self, removal: VaultRemoval, in_force: Callable[[], Awaitable[tuple[datetime, Contract]]]) -> None:
        self._removal = removal
        self._in_force = in_force

    async def run(self) -> NoReturn:
        """Run until cancelled. What passes is tried again."""
        done: Hours | None = None
        while True:
            try:
                done = await self.look(done)
            except PASSING as error:
                log.warning(LogEvent.REMOVAL_DELAYED, error=type(error).__name__)
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self, done: Hours | None) -> Hours | None:
        """Remove, unless it was done in these hours; return in which it was done last."""
        now, contract = await self._in_force()
        hours = _hour(now), _hour(datetime.now(UTC))
        if hours == done or await self._removal.run(now, contract) is None:
            return done
        return hours


@asynccontextmanager
async def removals(
    access: KafkaAccess, pool: asyncpg.Pool, contracts: Contracts, *, follows_events: bool
) -> AsyncIterator[Removals]:
    """Give the removals of a projector."""
    clock = EventsClock(contracts) if follows_events else WallClock()
    time = BusTime(contracts, clock, partial(pool.fetchval, NEWEST_RECORDED))
    async with CaseEnds(partial(clients.consumer, access, "read_uncommitted")) as ends:
        yield Removals(VaultRemoval(pool, Judged(access, contracts.parties), ends.all), time.in_force)


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
