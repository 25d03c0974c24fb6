"""When an inbox is swept: after whatever its party said, also where that is cut together with a sweep."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from streams import sweep
from streams.sweep import Sweep

PLACE = TopicPartition("samspil.inbox.sof.v1", 0)


@dataclass
class Inbox:
    """A partition that takes sweeps; `end` moves as well when a party says something."""

    end: int = 0
    sweeps: list[int] = field(default_factory=list)
    away: int = 0  # so many sweeps fail

    async def send_and_wait(self, *_: object, **__: object) -> "Said":
        if self.away:
            self.away -= 1
            raise KafkaConnectionError
        self.sweeps.append(self.end)
        self.end += 1
        return Said(self.end - 1)


@dataclass
class Said:
    offset: int


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def sweeping(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    async def connect(_: Sweep) -> Any:
        return inbox

    monkeypatch.setattr(sweep, "_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(Sweep, "_connect", connect)
    return Sweep({}, _fail)


def _fail(error: BaseException) -> NoReturn:
    raise error


async def _quiet(sweeping: Sweep) -> None:
    while sweeping._due or sweeping._under_way:  # noqa: ASYNC110 - timers and tasks come and go
        await asyncio.sleep(0)


async def _cut(sweeping: Sweep, inbox: Inbox) -> None:
    sweeping.after(PLACE, inbox.end)
    await _quiet(sweeping)


async def test_what_is_cut_is_swept_once(sweeping: Sweep, inbox: Inbox) -> None:
    inbox.end = 5
    for _ in range(4):
        await _cut(sweeping, inbox)
    assert inbox.sweeps == [5]


async def test_what_was_said_just_before_a_sweep_is_swept_again(sweeping: Sweep, inbox: Inbox) -> None:
    """It may lie in one file with that sweep, and both are cut in one round."""
    inbox.end = 5
    sweeping.after(PLACE, 5)
    inbox.end = 6  # said before the sweep, and not cut yet
    await _quiet(sweeping)
    assert inbox.sweeps == [6]
    for _ in range(4):
        await _cut(sweeping, inbox)
    assert inbox.sweeps == [6, 7]


async def test_a_sweep_that_fails_is_tried_until_it_is_said_once(sweeping: Sweep, inbox: Inbox) -> None:
    """Also where more was cut while it was tried, which had begun to wait for a sweep of its own."""
    failures: list[object] = []  # of a timer, which nobody awaits
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(told))
    inbox.end, inbox.away = 5, 2
    sweeping.after(PLACE, 5)
    while not sweeping._under_way:  # noqa: ASYNC110 - until the timer has begun it
        await asyncio.sleep(0)
    sweeping.after(PLACE, 6)
    inbox.end = 6
    with capture_logs() as said:
        await _quiet(sweeping)
    assert inbox.sweeps == [6]
    assert [line["event"] for line in said] == ["truncation_failed"] * 2
    assert failures == []


async def test_a_sweep_that_fails_as_all_ends_is_not_tried_again(sweeping: Sweep, inbox: Inbox) -> None:
    inbox.end, inbox.away = 5, 1
    sweeping.after(PLACE, 5)
    while not sweeping._under_way:  # noqa: ASYNC110 - until the timer has begun it
        await asyncio.sleep(0)
    await sweeping.stop()
    assert inbox.away == 0
    assert not sweeping._due


async def test_a_claim_that_asks_again_sweeps_nothing_anew(sweeping: Sweep, inbox: Inbox) -> None:
    await _cut(sweeping, inbox)
    await _cut(sweeping, inbox)
    sweeping.after(PLACE, inbox.end)
    assert not sweeping._due
