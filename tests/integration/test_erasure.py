"""An erased case stays erased: past a worker that was frozen meanwhile, a restart, and a read model made anew.

One erasure, ordered while the partition's owner is frozen; the tests look at what became of it.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
import pytest

from deploy.erasing.haste import haste
from schemas import state, topics
from schemas.case import Erased, State
from schemas.orders import Order
from tests import http_side
from tests.brokers import RunningKafka, RunningPostgres, parties
from tests.bus import Bus, bus
from tests.speech import Saying, concern, say
from tests.waiting import eventually
from tests.worker_process import WorkerProcess


@dataclass
class Erasing:
    """A case that was erased, the worker that was frozen meanwhile and the one that did it."""

    case: str
    said: tuple[Saying, ...]
    stub: State
    frozen: WorkerProcess
    other: WorkerProcess
    bus: Bus


@pytest.fixture(scope="module")
async def erasing(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Erasing]:
    kafka.reset()
    case = str(uuid4())
    child = concern("buf", case, age_band="15_17")
    screened = say("sof", "concern-screened", case, outcome="own_administration", owner="sof", grounds=_ref())
    frozen, other = (_worker(kafka, tmp_path_factory.mktemp(name), name) for name in ("worker-1", "worker-2"))
    async with bus(kafka) as bus_:
        try:
            frozen.start()
            await frozen.ready()
            for saying in (child, screened):  # two inboxes: said at once, either may be admitted first
                await bus_.say([saying])
                await eventually(partial(_is_logged, bus_, saying))
            frozen.send(signal.SIGSTOP)
            # said to an owner that cannot hear it: judged by whoever comes after, before or behind the order
            talked = say("sof", "conversation-held", case, held_on="2026-01-20", outcome="accepts_contact")
            await bus_.say([talked])
            other.start()
            await other.ready()
            assert (await bus_.order(_erase(case)))["verdict"] == "accepted"
            stub = await _state(bus_, case)
            frozen.send(signal.SIGCONT)
            yield Erasing(case, (child, screened, talked), stub, frozen, other, bus_)
        finally:
            frozen.kill()
            other.kill()


def _worker(kafka: RunningKafka, home: Path, name: str) -> WorkerProcess:
    return WorkerProcess(kafka.access("worker").aiokafka(), home, member=name)


def _ref() -> str:
    return f"vault:{uuid4()}"


def _erase(case: str) -> Order:
    return Order(str(uuid4()), "erase", case, "wrong_subject")


async def _is_logged(bus_: Bus, saying: Saying) -> bool:
    return any(dict(r.headers).get("ce_id") == saying.id.encode() for r in await bus_.read(topics.LOG))


async def _state(bus_: Bus, case: str) -> State:
    newest = {record.key: record.value for record in await bus_.read(topics.CASES)}
    return state.decode(newest[case.encode()])


async def _is_gone(erasing: Erasing) -> None:
    """Of the case there is its stub, its receipts, and what its recipients were told."""
    assert isinstance(erasing.stub, Erased)
    assert await _state(erasing.bus, erasing.case) == erasing.stub
    logged = {r.key: r.value for r in await erasing.bus.read(topics.LOG) if erasing.case.encode() in (r.key or b"")}
    assert set(logged.values()) == {None}
    newest = {r.key: r for r in await erasing.bus.read(*map(topics.views, ("ku", "sof", "buf", "politi")))}
    views = [r for r in newest.values() if r.value and dict(r.headers)["ce_subject"] == erasing.case.encode()]
    assert {dict(r.headers)["ce_type"] for r in views} == {b"dk.samspil.case-erased.v1"}


async def test_a_worker_that_was_frozen_meanwhile_changes_nothing(erasing: Erasing) -> None:
    """It wakes up as the owner that it was: what it does then is refused, or it learns that it is none."""
    other = say("kff", "concern-raised", str(uuid4()), **concern("kff", str(uuid4())).data)
    await erasing.bus.say([other])
    await eventually(lambda: _is_logged(erasing.bus, other), timeout=60)
    await _is_gone(erasing)


async def test_a_restart_brings_nothing_back(erasing: Erasing) -> None:
    erasing.frozen.kill()
    erasing.other.kill()
    erasing.other.start()
    await erasing.other.ready()
    late = say("sof", "case-closed", erasing.case, outcome="resolved")
    await erasing.bus.say([late, erasing.said[0]])  # also what was accepted once, said again
    for saying in (late, erasing.said[0]):
        answer = await eventually(partial(_answer, erasing.bus, saying)) or {}
        assert answer["reason"] == "unknown_case"
    await _is_gone(erasing)


async def test_a_read_model_made_anew_knows_the_stub_alone(
    erasing: Erasing, kafka: RunningKafka, postgres: RunningPostgres, tmp_path: Path
) -> None:
    async with (
        http_side.own_database(postgres) as dsns,
        http_side.projecting(kafka, dsns["projector"]),
        http_side.serving(kafka, dsns, tmp_path) as side,
    ):
        owner = await side.owner()
        try:
            await eventually(lambda: _caught_up(side, owner), timeout=60)
            kept = await owner.fetchval("SELECT state FROM readmodel.case_states WHERE case_id = $1", erasing.case)
            assert state.decode(kept) == erasing.stub
            shown = await owner.fetchval("SELECT body FROM readmodel.overview_cases WHERE case_id = $1", erasing.case)
            assert shown is None
            events = [saying.id for saying in erasing.said]
            assert not await owner.fetch(
                "SELECT FROM gateway.verdicts WHERE id = ANY ($1::uuid[]) AND standing > 0", events
            )
        finally:
            await owner.close()
        place = {"case": erasing.case, "field": "person"}
        answer = await side.party("sof").put(f"/vault/{uuid4()}", json="Testperson A", params=place)
        assert answer.status_code == 410


async def test_haste_that_is_interrupted_leaves_no_topic_in_haste(kafka: RunningKafka) -> None:
    """As by Ctrl-C while the broker is being told: its word to hurry must not come last."""

    async def hurried() -> None:
        async with haste(kafka.access(), topics.catalogue(parties())):
            raise AssertionError("it was interrupted before")

    hurrying = asyncio.create_task(hurried())
    await asyncio.sleep(0)  # it has begun
    await asyncio.sleep(0)
    hurrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hurrying
    assert kafka.apply().altered == 0


async def _caught_up(side: http_side.HttpSide, owner: asyncpg.Connection) -> bool:
    ends = {(topics.CASES, p): await side.end(topics.CASES, p) for p in range(topics.PARTITIONS)}
    ends[topics.views("ku"), 0] = await side.end(topics.views("ku"))
    rows = await owner.fetch("SELECT projection, topic, partition, position FROM readmodel.positions")
    read = {(row["projection"], row["topic"], row["partition"]): row["position"] for row in rows}
    return all(read.get(("overview", *place), 0) >= end for place, end in ends.items()) and all(
        read.get(("case_states", *place), 0) >= end for place, end in ends.items() if place[0] == topics.CASES
    )


async def _answer(bus_: Bus, saying: Saying) -> dict[str, str] | None:
    records = await bus_.read(topics.refusals(saying.party))
    return next((orjson.loads(r.value) for r in records if r.key == saying.id.encode()), None)
