"""The worker: Faust embedded in our own process, with both steps on it.

Faust gives membership, assignment and the agents' lifecycle. What it would do besides stays off: its web
server (which `web_enabled=False` alone does not stop), its topics, tables, directories, producer and its
hold on standard output.
"""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import faust
import structlog
from faust.app.base import BootStrategy

from deploy import garbage
from deploy.clock import Clock, EventsClock, WallClock
from schemas.contract import Contracts
from schemas.errors import UnknownContractError
from schemas.log_events import LogEvent
from schemas.rights import WORKER_GROUP
from streams import topology
from streams.admit import Admit
from streams.coordinate import Coordinate
from streams.last_seal import newest_recorded
from streams.ownership import Ownership
from streams.step import Step
from streams.ticks import Ticks
from streams.transport import Consumer, RunThread, Transport
from streams.watchdog import PATIENCE, Watchdog

CRASHED, MISCONFIGURED = 1, 78  # exit statuses; a supervisor starts again after the first alone
_STOP_SECONDS = 5.0
_BEAT_SECONDS = 0.25

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Steps:
    """Both steps, as handed to the topology, and the clock that they and the ticks go by."""

    admit: Step
    coordinate: Step
    clock: Clock


class _Boot(BootStrategy):
    enable_web = False
    enable_kafka_producer = False  # outputs go through our transactions


class _App(faust.App):
    BootStrategy = _Boot

    async def on_first_start(self) -> None:
        """Make no directories: nothing is kept on this machine."""


def application(connection: Mapping[str, Any], member: str) -> faust.App:
    """Return a Faust app with our transport and nothing of its own. `member`: this worker's name in the group."""
    app = _App(
        WORKER_GROUP,
        broker="aiokafka://" + str(connection["bootstrap_servers"]),
        autodiscover=False,
        consumer_group_instance_id=member,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        stream_wait_empty=False,
    )
    app.transport = Transport.on(app, connection)
    return app


async def bus_clock(kind: str, contracts: Contracts, connection: Mapping[str, Any]) -> Clock:
    """Return the clock of this setting; one that follows events goes on where the bus last took one."""
    if kind == "events":
        return EventsClock(contracts, await newest_recorded(connection))
    return WallClock()


def steps(contracts: Contracts, clock: Clock) -> Steps:
    """Return the two steps as they are in force."""
    salt = partial(secrets.token_hex, 16)
    return Steps(Admit(contracts, clock, salt), Coordinate(contracts, salt), clock)


async def serve(  # noqa: PLR0913, PLR0917 - what a worker is made of, handed over once
    connection: Mapping[str, Any],
    contracts: Contracts,
    both: Steps,
    ready: Path,
    member: str | None = None,
    patience: float = PATIENCE,
) -> NoReturn:
    """Run until SIGTERM or SIGINT, then end the process: Faust may have a thread that nobody else ends any more.

    `ready` exists, and is touched, while every assigned partition is claimed.
    `member` names this worker in the group, the same after a restart and unlike any other's: the host's name
    where none is given. `patience`: seconds that it may stand still while records wait.
    """
    garbage.look_seldom()
    try:
        await _serve(
            application(connection, member or socket.gethostname()), connection, contracts, both, ready, patience
        )
    except Exception as error:  # noqa: BLE001 - fail-stop: whatever it is, this process is not to be mended
        fail_stop(error)
    os._exit(0)


async def _serve(  # noqa: PLR0913, PLR0917 - as above
    app: faust.App, connection: Mapping[str, Any], contracts: Contracts, both: Steps, ready: Path, patience: float
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ownership = Ownership(connection, contracts, lambda: _lanes(app), fail_stop)
    topology.build(app, ownership, both.admit, both.coordinate, contracts.parties)
    ownership.start()
    ticks = Ticks(connection, ownership, both.clock, contracts, fail_stop)
    ticks.start()
    watchdog = Watchdog(connection, ownership, fail_stop, patience)
    watchdog.start()
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)
    starting = asyncio.create_task(app.start())
    try:
        await _watch(app, starting, ownership, stop, ready)
    finally:
        ready.unlink(missing_ok=True)
    await ticks.stop()
    await ownership.close()
    await _stop(app, starting)
    await watchdog.stop()
    log.info(LogEvent.SERVICE_STOPPED, service="worker")


def _lanes(app: faust.App) -> RunThread:
    consumer = app.consumer
    assert isinstance(consumer, Consumer)  # noqa: S101 - our transport makes it
    return consumer.lanes


async def _watch(
    app: faust.App, starting: "asyncio.Task[None]", ownership: Ownership, stop: asyncio.Event, ready: Path
) -> None:
    said = False
    while not stop.is_set():
        failed = starting.exception() if starting.done() else None
        if failed or app.crashed or app.should_stop:
            fail_stop(failed or app.crash_reason or ChildProcessError())
        if ownership.ready:
            ready.touch()
            if not said:
                log.info(LogEvent.SERVICE_STARTED, service="worker", count=len(ownership.places))
                said = True
        else:
            ready.unlink(missing_ok=True)
        try:
            await asyncio.wait_for(stop.wait(), _BEAT_SECONDS)
        except TimeoutError:
            continue


async def _stop(app: faust.App, starting: "asyncio.Task[None]") -> None:
    """Leave the group. What Faust has not ended by then holds nothing of ours any more."""
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    try:
        await asyncio.wait_for(app.stop(), _STOP_SECONDS)
    except TimeoutError:
        log.warning(LogEvent.STOP_TIMED_OUT, service="worker")


def fail_stop(error: BaseException) -> NoReturn:
    """End the process at once, without cleaning up: what is not committed never happened."""
    log.critical(LogEvent.PROCESS_ENDED, service="worker", error=type(error).__name__)
    os._exit(MISCONFIGURED if isinstance(error, UnknownContractError) else CRASHED)
