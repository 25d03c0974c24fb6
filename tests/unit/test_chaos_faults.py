"""What a fault does to a bus while another lasts: on a bus of names alone, which notes what is done to it."""

import signal
from dataclasses import dataclass, field
from typing import cast

import pytest

from tests.chaos.faults import Faults
from tests.chaos.installation import Installation
from tests.chaos.plan import Fault, Kind


@dataclass
class Noted:
    """A process, or a broker, that notes what is done to it."""

    name: str
    done: list[str]
    ended_alone: int = 0

    def kill(self, number: int | None = None) -> bool:
        self.done.append(f"{self.name} killed" if number is None else f"{self.name} away")
        return True

    def send(self, number: signal.Signals) -> bool:
        self.done.append(f"{self.name} {'frozen' if number is signal.SIGSTOP else 'awake'}")
        return True

    def restart(self) -> None:
        self.done.append(f"{self.name} back")


@dataclass
class PaperBus:
    """What Faults asks of an Installation."""

    count: int
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.working = [Noted(f"worker-{number}", self.done) for number in range(1, self.count + 1)]
        self.publishers = {"sof": Noted("sof", self.done)}
        self.projector, self.web = Noted("projector", self.done), Noted("web", self.done)
        self.broker = Noted("broker", self.done)

    def is_ready(self, _worker: Noted) -> bool:
        return True


def kill(kind: Kind, number: int = 0) -> Fault:
    return Fault(kind, 0.0, 0.0, number)


def applied(bus: PaperBus, kind: Kind, *meanwhile: Fault) -> Faults:
    faults = Faults(cast("Installation", bus))
    faults.apply(Fault(kind, 0.0, 0.0, 1, meanwhile))
    return faults


def test_what_comes_meanwhile_comes_before_the_end_and_is_counted() -> None:
    bus = PaperBus(2)
    tally = applied(bus, Kind.KILL_BROKER, kill(Kind.KILL_WEB), kill(Kind.KILL_WORKERS)).tally
    assert bus.done == ["broker away", "web killed", "worker-1 killed", "worker-2 killed", "broker back"]
    assert (tally.kills, tally.kills_meanwhile, tally.broker_restarts) == (4, 3, 1)


@pytest.mark.parametrize("number", range(6))
def test_a_frozen_worker_is_never_killed(number: int) -> None:
    bus = PaperBus(3)
    tally = applied(bus, Kind.FREEZE_WORKER, kill(Kind.KILL_WORKER, number), kill(Kind.KILL_WORKERS)).tally
    assert bus.done[0] == "worker-2 frozen"
    assert bus.done[-1] == "worker-2 awake"
    assert sorted(bus.done[2:-1]) == ["worker-1 killed", "worker-3 killed"]
    assert "worker-2 killed" not in bus.done
    assert (tally.kills, tally.zombies) == (3, 1)


def test_a_worker_that_was_frozen_can_be_killed_later() -> None:
    bus = PaperBus(2)
    faults = applied(bus, Kind.FREEZE_WORKER)
    faults.apply(kill(Kind.KILL_WORKERS))
    assert bus.done[2:] == ["worker-1 killed", "worker-2 killed"]
