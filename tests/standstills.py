"""Ways in which a worker can live on and do nothing: begun by one event, or there from its first claim on."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from schemas.contract import Contracts
from streams.claim import Claim
from streams.transport import RunThread

_FOR_EVER = 10_000
_PARTITION = 5


class Standstill(StrEnum):
    """What stands still."""

    STEP = "step"  # a step never returns, and the loop with it
    INTERPRETER = "interpreter"  # a step never returns and lets no other thread run
    CONSUMER = "consumer"  # the thread that fetches never comes back
    CLAIM = "claim"  # one partition's states are never read to their end


def begin(kind: Standstill) -> None:
    """Stand still now, or as soon as the thread that fetches runs."""
    _BEGIN[kind]()


def prepare(kind: Standstill | None) -> None:
    """Make a life that can stand still: begun later, or from its first claim on, where that is what stands."""
    if kind is Standstill.CLAIM:
        _prepare_claim()
    usual: Any = RunThread._next_runs

    def next_runs(thread: RunThread) -> Any:
        if _consumer_stands.is_set():
            _sleep()
        return usual(thread)

    RunThread._next_runs = next_runs  # type: ignore[method-assign,assignment]


def _prepare_claim() -> None:
    usual = Claim.restore

    async def restore(claim: Claim, contracts: Contracts) -> None:
        if claim.step.remembers and claim.place.partition == _PARTITION:
            await asyncio.sleep(_FOR_EVER)
        await usual(claim, contracts)

    Claim.restore = restore  # type: ignore[method-assign,assignment]


_consumer_stands = threading.Event()


def _sleep() -> None:
    time.sleep(_FOR_EVER)


def _hold() -> None:
    re.match(r"(a+)+$", "a" * 100 + "b")  # takes for ever, and keeps the interpreter's lock


_BEGIN: dict[Standstill, Callable[[], None]] = {
    Standstill.STEP: _sleep,
    Standstill.INTERPRETER: _hold,
    Standstill.CONSUMER: _consumer_stands.set,
}
