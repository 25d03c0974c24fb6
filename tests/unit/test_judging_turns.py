"""Judging takes turns: a claim keeps no other's transaction waiting, and its own no longer than it may last."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from schemas import topics
from schemas.records import Inbound, Outbound
from streams import claim as claims
from streams.batch import Batch
from streams.claim import Claim
from streams.packing import Packing

PLACES = [TopicPartition(topics.ADMITTED, number) for number in range(4)]
RECORDS = 12
ALWAYS = -1.0  # seconds: less than any time that has passed


class Step:
    """Notes what it judges."""

    name: ClassVar[str] = "noting"
    remembers: ClassVar[bool] = False

    def __init__(self) -> None:
        self.judged: list[tuple[int, int]] = []

    def judge(self, _: Batch, record: Inbound) -> None:
        self.judged.append((record.partition, record.offset))


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


async def _owned(step: Any) -> list[tuple[Claim, Transactions]]:
    judging = asyncio.Lock()
    owned = []
    for place in PLACES:
        claim = Claim(place, step, {}, judging)
        await claim.release()
        written: Any = Transactions()
        claim._transactions = written
        owned.append((claim, written))
    return owned


async def test_between_two_turns_of_the_loop_one_claim_judges_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "TURN", ALWAYS)
    step, seen = Step(), [0]

    async def watch() -> None:
        while True:
            seen.append(len(step.judged))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    owned = await _owned(step)
    await asyncio.gather(*(claim.judge(_run(claim.place)) for claim, _ in owned))
    watching.cancel()
    assert len(step.judged) == RECORDS * len(PLACES)
    assert max(later - before for before, later in pairwise(seen)) == 1
    # A claim's turn is its run: all of it goes into one transaction, and nobody judges between.
    assert step.judged == [(place.partition, number) for place in PLACES for number in range(RECORDS)]
    assert [written.positions for _, written in owned] == [[RECORDS]] * len(PLACES)


async def test_what_takes_too_long_for_one_transaction_goes_into_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "TURN", ALWAYS)
    monkeypatch.setattr(claims, "LONG_ENOUGH", ALWAYS)
    step = Step()
    owned = await _owned(step)
    await asyncio.gather(*(claim.judge(_run(claim.place)) for claim, _ in owned))
    for claim, written in owned:
        assert written.positions == [*range(1, RECORDS + 1)]
        assert claim.position == RECORDS
        assert [at for place, at in step.judged if place == claim.place.partition] == [*range(RECORDS)]
