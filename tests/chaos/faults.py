"""Doing to a running bus what the plan says, and counting it.

What lasts is begun, the kills that come meanwhile happen, and it is ended: one thing after the other, in one thread.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from deploy.embedded.processes import Child
from tests.chaos.installation import Installation
from tests.chaos.kept import Kept
from tests.chaos.plan import Fault, Kind
from tests.waiting import eventually_sync

_READY_SECONDS = 90.0
_RUNS_SECONDS = 20.0  # within which what ended by itself runs again
_ZOMBIE_SECONDS = 20.0  # in which a replaced worker may do harm, or find out that it is dead


@dataclass(slots=True)
class Tally:
    """How often what was done."""

    kills: int = 0
    kills_meanwhile: int = 0  # of them, while another fault lasted
    zombies: int = 0
    zombies_ended: int = 0
    broker_restarts: int = 0
    broker_pauses: int = 0
    postgres_stops: int = 0
    scalings: int = 0


class Faults:
    """The faults, each under its name."""

    def __init__(self, bus: Installation) -> None:
        self._bus = bus
        self.tally = Tally()
        self._frozen: Kept | None = None
        self._do: Mapping[Kind, Callable[[Fault], None]] = {
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_WORKERS: self._kill_workers,
            Kind.KILL_PUBLISHER: self._kill_publisher,
            Kind.KILL_PROJECTOR: lambda _: self._kill(bus.projector),
            Kind.KILL_WEB: lambda _: self._kill(bus.web),
            Kind.KILL_BROKER: self._kill_broker,
            Kind.FREEZE_WORKER: self._freeze_worker,
            Kind.REPLACE_FROZEN: self._replace_frozen,
            Kind.FREEZE_BROKER: self._freeze_broker,
            Kind.STOP_POSTGRES: self._stop_postgres,
            Kind.SCALE: self._scale,
        }

    def apply(self, fault: Fault) -> None:
        """Let it happen; return when it is over."""
        self._do[fault.kind](fault)

    def _last(self, fault: Fault) -> None:
        """Return when a fault that has begun is to end; kill meanwhile whom it says."""
        over = time.monotonic() + fault.seconds
        before = self.tally.kills
        for kill in fault.meanwhile:
            time.sleep(kill.pause)
            self.apply(kill)
        self.tally.kills_meanwhile += self.tally.kills - before
        time.sleep(max(0.0, over - time.monotonic()))

    def _kill(self, kept: Kept) -> None:
        """Kill it while it runs. Where what it needs is away it may have ended by itself; then the next one."""
        eventually_sync(kept.kill, _RUNS_SECONDS)
        self.tally.kills += 1

    def _kill_worker(self, fault: Fault) -> None:
        self._kill(self._worker(fault))

    def _kill_workers(self, _fault: Fault) -> None:
        for worker in self._awake:
            self._kill(worker)

    def _kill_publisher(self, fault: Fault) -> None:
        publishers = list(self._bus.publishers.values())
        self._kill(publishers[fault.number % len(publishers)])

    def _kill_broker(self, fault: Fault) -> None:
        self._bus.broker.kill(fault.number)
        self.tally.kills += 1
        self._last(fault)
        self._bus.broker.restart()
        self.tally.broker_restarts += 1

    def _freeze_worker(self, fault: Fault) -> None:
        """Freeze one until the group has given its partitions to others. Awake, it is harmless, or it ends."""
        worker = self._worker(fault)
        self._freeze(worker)
        self._frozen = worker
        try:
            self._last(fault)
        finally:
            self._frozen = None
            before = worker.ended_alone
            worker.send(signal.SIGCONT)
        self.tally.zombies += 1
        self._ready(worker)
        self.tally.zombies_ended += worker.ended_alone > before

    def _replace_frozen(self, fault: Fault) -> None:
        """Freeze one, start another under its name, and wake it: it finds out and ends, or the check finds it out.

        What is killed meanwhile may be the other, never the frozen one.
        """
        worker = self._worker(fault)
        self._freeze(worker)
        zombie = worker.replace()
        self._last(fault)
        self._ready(worker)
        _wake(zombie)
        self.tally.zombies += 1
        with suppress(AssertionError):
            eventually_sync(lambda: zombie.exit_code() is not None, _ZOMBIE_SECONDS)
            self.tally.zombies_ended += 1
        zombie.kill()

    def _freeze_broker(self, fault: Fault) -> None:
        self._bus.broker.pause(fault.number)
        self._last(fault)
        self._bus.broker.resume()
        self.tally.broker_pauses += 1

    def _stop_postgres(self, fault: Fault) -> None:
        self._bus.stop_postgres()
        self._last(fault)
        self._bus.start_postgres()
        self.tally.postgres_stops += 1

    def _scale(self, fault: Fault) -> None:
        self._bus.scale(fault.number)
        self.tally.scalings += 1

    @property
    def _awake(self) -> list[Kept]:
        return [worker for worker in self._bus.working if worker is not self._frozen]

    def _worker(self, fault: Fault) -> Kept:
        awake = self._awake
        return awake[fault.number % len(awake)]

    def _freeze(self, worker: Kept) -> None:
        """Freeze it at work. It may end by itself a moment before; then the one that is started next."""
        eventually_sync(lambda: self._bus.is_ready(worker) and worker.send(signal.SIGSTOP), _READY_SECONDS)

    def _ready(self, worker: Kept) -> None:
        eventually_sync(lambda: self._bus.is_ready(worker), _READY_SECONDS)


def _wake(zombie: Child) -> None:
    os.killpg(zombie.pid, signal.SIGCONT)
