"""Judging takes turns: a claim keeps neither the transactions of others waiting, nor for long those that will judge."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import inf
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from schemas import topics
from schemas.records import Inbound, Outbound
from streams import claim as claims
from streams.batch import Batch
from streams.claim import Claim
from streams.ownership import Ownership
from streams.packing import Packing
from streams.watchdog import PATIENCE
from tests.wire import contracts

PLACES = [TopicPartition(topics.ADMITTED, number) for number in range(4)]
RECORDS = 12
ALWAYS, NEVER = -1.0, inf  # seconds: less than any time that has passed, and more


class Step:
    """Notes what it judges."""

    name: ClassVar[str] = "noting"
    remembers: ClassVar[bool] = False

    def __init__(self) -> None:
        self.judged: list[tuple[int, int]] = []
        self.halfway = asyncio.Event()

    def judge(self, _: Batch, record: Inbound) -> None:
        self.judged.append((record.partition, record.offset))
        if len(self.judged) == RECORDS // 2:
            self.halfway.set()


class Transactions:
    """Notes where each transaction ends, after some turns of the loop."""

    def __init__(self) -> None:
        self.positions: list[int] = []

    def pack(self, outputs: Iterable[Outbound] = ()) -> Packing:
        def none() -> Any:
            raise AssertionError("nothing is written")

        packing = Packing(none)
        packing.add(outputs)
        return packing

    async def commit(self, _: Packing, position: Mapping[TopicPartition, int], *__: str) -> None:
        await asyncio.sleep(0)
        self.positions += position.values()

    async def stop(self) -> None: ...


def _run(place: TopicPartition) -> tuple[ConsumerRecord, ...]:
    return tuple(ConsumerRecord(*place, number, 0, 0, b"", b"", None, 0, 0, ()) for number in range(RECORDS))


async def _owned(step: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Claim, Transactions]]:
    """Make claims as a worker does, but for the broker."""

    async def fence(_: Claim) -> None: ...

    async def committed(*_: object) -> int:
        return 0

    monkeypatch.setattr(Claim, "fence", fence)
    thread: Any = SimpleNamespace(committed=committed)
    ownership = Ownership({}, contracts(), lambda: thread, _fail)
    ownership.serve(step, [topics.ADMITTED])
    owned = []
    for place in PLACES:
        claim = ownership._new(place)
        await ownership._restore(claim)
        await claim.release()
        written: Any = Transactions()
        claim._transactions = written
        owned.append((claim, written))
    return owned


def _fail(error: BaseException) -> None:
    raise AssertionError from error


async def test_between_two_turns_of_the_loop_one_claim_judges_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOMENT", ALWAYS)
    monkeypatch.setattr(claims, "LONG_ENOUGH", NEVER)
    step, seen = Step(), [0]

    async def watch() -> None:
        while len(step.judged) < RECORDS * len(PLACES):
            seen.append(len(step.judged))
            await asyncio.sleep(0)
        seen.append(len(step.judged))

    owned = await _owned(step, monkeypatch)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(watch(), *(claim.judge(_run(claim.place)) for claim, _ in owned))
    assert max(later - before for before, later in pairwise(seen)) == 1
    # A claim's turn is its run: all of it goes into one transaction, and nobody judges between.
    assert step.judged == [(place.partition, number) for place in PLACES for number in range(RECORDS)]
    assert [written.positions for _, written in owned] == [[RECORDS]] * len(PLACES)


async def test_a_claim_lets_the_others_judge_before_it_goes_on_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOMENT", ALWAYS)
    monkeypatch.setattr(claims, "LONG_ENOUGH", ALWAYS)
    step = Step()
    owned = await _owned(step, monkeypatch)
    await asyncio.gather(*(claim.judge(_run(claim.place)) for claim, _ in owned))
    # One record each, in turns.
    assert step.judged == [(place.partition, number) for number in range(RECORDS) for place in PLACES]
    for claim, written in owned:
        assert written.positions == [*range(1, RECORDS + 1)]
        assert claim.position == RECORDS


async def test_what_is_revoked_while_it_waits_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step()
    owned = await _owned(step, monkeypatch)
    judging = owned[0][0]._judging
    async with judging:
        waiting = [asyncio.create_task(claim.judge(_run(claim.place))) for claim, _ in owned]
        await asyncio.sleep(0)
        for claim, _ in owned:
            claim.epoch += 1  # as a revocation does
    await asyncio.gather(*waiting)
    assert not step.judged
    assert {(claim.position, *written.positions) for claim, written in owned} == {(0,)}


async def test_what_is_revoked_while_it_judges_commits_that_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOMENT", ALWAYS)
    step = Step()
    (claim, written), *_ = await _owned(step, monkeypatch)
    judging = asyncio.create_task(claim.judge(_run(claim.place)))
    await step.halfway.wait()
    claim.epoch += 1
    await judging
    assert 0 < claim.position < RECORDS
    assert written.positions == [claim.position] == [len(step.judged)]


def test_nobody_waits_longer_for_the_others_than_the_watchdog_has_patience() -> None:
    most = topics.PARTITIONS + len(contracts().parties)
    assert most * (claims.LONG_ENOUGH + claims.MOMENT) < PATIENCE / 2
