"""Ticks take turns: where very many cases are due, what waits beside them is not held up until all are said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas import topics
from streams.claim import TICKED, Claim
from streams.coordinate import Coordinate
from streams.ownership import Ownership
from streams.states import States
from streams.ticks import Ticks
from tests.wire import contracts

PLACE, OTHER = TopicPartition(topics.ADMITTED, 3), TopicPartition(topics.ADMITTED, 4)
LONG_AGO, NOW = "2026-03-01T00:00:00.000000Z", datetime(2026, 6, 1, tzinfo=UTC)
TURNS = 10


class Lanes:
    """Where all was delivered and judged."""

    def close_lanes(self) -> None: ...

    async def drained(self, *_: object) -> bool:
        await asyncio.sleep(0)  # the turn is held meanwhile, so that others come to wait for it
        return True


class Clock:
    """A clock that stands."""

    follows = False

    def now(self) -> datetime:
        return NOW

    settled = now

    def observe(self, time: datetime) -> None: ...


@asynccontextmanager
async def _owner(*places: TopicPartition, turns: int = TURNS) -> AsyncIterator[tuple[Ownership, Claim]]:
    """Own partitions in which so many turns' worth of cases must be looked at; there is nothing to say of them."""
    lanes: Any = Lanes()
    ownership = Ownership({}, contracts(), lambda: lanes, _fail)
    ownership._epoch = 1
    for place in places:
        claim = Claim(place, Coordinate(contracts(), lambda: "00" * 16), {}, asyncio.Lock())
        claim._states, claim.epoch = States(), 1
        for number in range(turns * TICKED):
            claim._states._agenda.note(f"{number:08}", LONG_AGO)
        ownership._claims[place] = claim
    claims = tuple(ownership._claims.values())
    yield ownership, claims[0]
    for claim in claims:
        await claim.release()


def _fail(error: BaseException) -> None:
    raise AssertionError from error


async def _all_turns(ownership: Ownership) -> int:
    turns = 0
    while await ownership.tick(PLACE, LONG_AGO, contracts().newest, 0):
        turns += 1
    return turns


async def test_a_turn_looks_at_some_cases_and_tells_that_more_are_due() -> None:
    async with _owner(PLACE) as (ownership, _):
        assert await _all_turns(ownership) == TURNS
        assert ownership.moves == {PLACE: TURNS}  # the watchdog's sign that it does not stand still


async def test_a_run_that_waits_has_its_turn_after_the_one_under_way() -> None:
    async with _owner(PLACE) as (ownership, claim):
        ticking = asyncio.create_task(_all_turns(ownership))
        await asyncio.sleep(0)
        assert claim.turn.locked()
        async with claim.turn:  # as `Ownership.judge` waits for it
            assert claim.moves == 1
        assert await ticking == TURNS


async def test_a_revocation_does_not_wait_for_all_that_is_due() -> None:
    async with _owner(PLACE) as (ownership, claim):
        ticking = asyncio.create_task(_all_turns(ownership))
        await asyncio.sleep(0)
        assert claim.turn.locked()
        await ownership.revoked()
        assert await ticking == claim.moves == 1


async def test_ticks_go_round_the_partitions_and_end_after_the_round_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _owner(PLACE, OTHER, turns=100) as (ownership, _):
        ticks = Ticks({}, ownership, Clock(), contracts(), _fail)
        turns: list[TopicPartition] = []
        enough = asyncio.Event()
        tick: Callable[..., Any] = ownership.tick

        async def noted(place: TopicPartition, *rest: Any) -> bool:
            turns.append(place)
            if len(turns) == 2 * TURNS - 1:
                enough.set()
                await asyncio.sleep(0)  # in the midst of a round it is told to end
            return bool(await tick(place, *rest))

        async def ends(places: tuple[TopicPartition, ...]) -> dict[TopicPartition, int]:
            await asyncio.sleep(0)
            return dict.fromkeys(places, 0)

        monkeypatch.setattr(ownership, "tick", noted)
        monkeypatch.setattr(ticks, "_ends", ends)
        ticks.start()
        await asyncio.wait_for(enough.wait(), 60)
        await ticks.stop()
        assert turns == [PLACE, OTHER] * TURNS
