"""The projector: everything that is read from topics into PostgreSQL, each projection with its own loop.

One that is stuck stops no other. Readiness is progress: the file is touched while every loop comes round and
has once reached the end of its topics.

It also removes from the vault what is over (removals.py): it has the right to, and no right to see a value.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer

from consumers.binding import Binding
from consumers.case_ends import CaseEnds
from consumers.case_states import CaseStates
from consumers.overview import Overview
from consumers.runner import Projection, Runner, started
from consumers.statistics.projection import Statistics
from deploy import clients, garbage
from deploy.kafka_access import KafkaAccess
from deploy.removals import Removals, removals
from producers.verdicts import VerdictProjection
from schemas.contract import Contracts
from schemas.errors import SamspilError, UnreachableError
from schemas.log_events import LogEvent

SERVICE = "projector"
CRASHED = 1  # exit status: the supervisor starts a fresh process
STUCK_AFTER = 10.0  # seconds without a round
_BEAT_SECONDS = 0.25
_CLOSE_WITHIN = 5.0
# Seconds from one fetch to the next. No verdict waits for the overview and the counts, and who reads them does not
# notice 200 ms (an erasure waits for them, and is patient): a transaction for each event would take the verdicts' time.
PACE = 0.025
EASY_PACE = 0.2
EASY = frozenset({Overview.name, Statistics.name})
POOL = 5  # connections: one a projection, and one more

log = structlog.get_logger()


class EndedError(SamspilError):
    """A loop that never ends has ended:"""


@asynccontextmanager
async def projections(access: KafkaAccess, parties: Iterable[str]) -> AsyncIterator[tuple[Projection, ...]]:
    """Give all that this process keeps."""
    async with CaseEnds(partial(clients.consumer, access, "read_uncommitted")) as ends:
        states = CaseStates()
        yield (states, Overview(), VerdictProjection(parties, Binding(ends.of, states.kept)), Statistics())


def runners(kept: Sequence[Projection], access: KafkaAccess, pool: asyncpg.Pool) -> list[Runner]:
    """Return a runner for each, every one with a consumer of its own."""

    def consumer(pace: float) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
        return started(clients.consumer(access, pace=pace))

    return [Runner(one, partial(consumer, EASY_PACE if one.name in EASY else PACE), pool) for one in kept]


async def serve(access: KafkaAccess, dsn: str, contracts: Contracts, ready: Path, *, follows_events: bool) -> None:
    """Run until SIGTERM or SIGINT. `ready` exists, and is touched, while all projections follow.

    `follows_events`: whether the bus's clock does; by it the vault loses what is over.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    pool = await _pool(dsn, POOL + 1)
    garbage.pass_over_the_old()
    try:
        async with (
            projections(access, contracts.parties) as kept,
            removals(access, pool, contracts, follows_events=follows_events) as removal,
        ):
            await _until(stop, runners(kept, access, pool), removal, ready)
    except ExceptionGroup as failed:  # the first to fail ended the others; its text may hold a value
        log.critical(LogEvent.PROCESS_ENDED, service=SERVICE, error=type(failed.exceptions[0]).__name__)
        raise SystemExit(CRASHED) from None
    finally:
        ready.unlink(missing_ok=True)
        await _close(pool)
    log.info(LogEvent.SERVICE_STOPPED, service=SERVICE)


async def _until(stop: asyncio.Event, running: Sequence[Runner], removal: Removals, ready: Path) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run) for run in (*(runner.run() for runner in running), removal.run())]
        said = False
        while not stop.is_set() and not any(task.done() for task in tasks):
            if _follow(running):
                ready.touch()
                if not said:
                    log.info(LogEvent.SERVICE_STARTED, service=SERVICE)
                    said = True
            else:
                ready.unlink(missing_ok=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _BEAT_SECONDS)
        if not stop.is_set():
            raise EndedError(SERVICE)
        for task in tasks:
            task.cancel()


def _follow(running: Iterable[Runner]) -> bool:
    since = time.monotonic() - STUCK_AFTER
    return all(runner.caught_up and runner.alive_at > since for runner in running)


async def _pool(dsn: str, size: int) -> asyncpg.Pool:
    try:
        return await clients.pool(dsn, size)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreachableError(f"PostgreSQL ({type(error).__name__})") from None


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSE_WITHIN):
            await pool.close()
    except TimeoutError:
        pool.terminate()
