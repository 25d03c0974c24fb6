"""What time brings, on the real broker: said once by a tick, on quiet partitions too, and not again.

Not after a crash either, nor where a partition has another owner by then.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord

from schemas import state, topics
from schemas.case import Erased, State
from tests.brokers import RunningKafka
from tests.bus import Bus, bus
from tests.speech import Saying, activity, concern, say
from tests.waiting import eventually
from tests.worker_process import WorkerProcess


@pytest.fixture(scope="module")
async def worker(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkerProcess]:
    """On the clock of events, which is in March 2026."""
    kafka.reset()
    process = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path_factory.mktemp("worker"), clock="events")
    process.start()
    await process.ready()
    yield process
    process.kill()


@pytest.fixture
async def said(kafka: RunningKafka) -> AsyncIterator[Bus]:
    async with bus(kafka) as bus_:
        yield bus_


def _of(record: ConsumerRecord, name: str) -> str:
    return str(dict(record.headers).get(name, b"").decode())


async def _logged(bus_: Bus, case: str, type_: str) -> list[ConsumerRecord]:
    records = [r for r in await bus_.read(topics.LOG) if r.value is not None and _of(r, "ce_subject") == case]
    return [record for record in records if _of(record, "ce_type") == f"dk.samspil.{type_}.v1"]


async def _state(bus_: Bus, case: str) -> State | None:
    newest = {record.key: record.value for record in await bus_.read(topics.CASES)}
    raw = newest.get(case.encode())
    return None if raw is None else state.decode(raw)


def _later(day: int) -> Saying:
    """Something outside the case that moves the clock on."""
    return replace(activity("kff"), time=f"2026-03-{day:02}T12:00:00Z")


def _child(case: str) -> Saying:
    raised = concern("buf", case, age_band="15_17", observed_on="2026-03-02")
    return replace(raised, time="2026-03-02T12:00:00Z")


async def test_a_missed_deadline_is_said_once_also_after_a_crash(worker: WorkerProcess, said: Bus) -> None:
    case = str(uuid4())
    child = _child(case)
    await said.say([child])
    await eventually(lambda: _heard(said, child))  # else the clock may move before it is taken
    await said.say([_later(4)])
    [passed] = await eventually(lambda: _logged(said, case, "deadline-passed"))
    assert orjson.loads(passed.value) == {
        "deadline": "assessment_24h",
        "due_at": "2026-03-03T12:00:00.000000Z",
        "responsible": "sof",
    }
    for party in ("ku", "sof"):
        views = [r for r in await said.read(topics.views(party)) if _of(r, "ce_causationid") == _of(passed, "ce_id")]
        assert len(views) == 1
    worker.kill()
    worker.start()
    await worker.ready()
    await said.say([_later(20)])
    both = await eventually(lambda: _all(said, case, 2))
    assert [orjson.loads(record.value)["deadline"] for record in both] == ["assessment_24h", "notifier_receipt"]


def _one_in_each_partition() -> list[str]:
    found: dict[int, str] = {}
    while len(found) < topics.PARTITIONS:
        case = str(uuid4())
        found.setdefault(topics.partition_of(case.encode()), case)
    return list(found.values())


def _children(cases: Iterable[str], time: datetime) -> list[Saying]:
    at, day = time.isoformat(), time.date().isoformat()
    return [replace(concern("buf", case, age_band="15_17", observed_on=day), time=at) for case in cases]


async def _heard_of(bus_: Bus, cases: Iterable[str], number: int) -> bool:
    logged = Counter(_of(r, "ce_subject") for r in await bus_.read(topics.LOG) if _of(r, "ce_source").endswith(":buf"))
    return all(logged[case] >= number for case in cases)


async def _said_of(bus_: Bus, cases: Collection[str]) -> Counter[str] | None:
    """Count what was said to be late of each case, once something was of all."""
    late = [r for r in await bus_.read(topics.LOG) if _of(r, "ce_type") == "dk.samspil.deadline-passed.v1"]
    found = Counter(_of(record, "ce_subject") for record in late)
    return found if found.keys() >= set(cases) else None


async def _all(bus_: Bus, case: str, number: int) -> list[ConsumerRecord] | None:
    found = await _logged(bus_, case, "deadline-passed")
    return found if len(found) >= number else None


@pytest.mark.usefixtures("worker")
async def test_an_answered_request_for_erasure_leaves_a_stub_and_tombstones(said: Bus) -> None:
    case = str(uuid4())
    ask = say("sof", "rights-request-received", case, "2026-03-04T12:00:00Z", article="17", received_on="2026-03-04")
    screened = {"outcome": "own_administration", "owner": "sof", "grounds": f"vault:{uuid4()}"}
    for saying in (
        _child(case),
        say("sof", "concern-screened", case, "2026-03-03T10:00:00Z", **screened),
        ask,
        say("sof", "rights-request-answered", case, "2026-03-05T12:00:00Z", request=ask.id),
    ):
        await said.say([saying])
        await eventually(partial(_heard, said, saying))
    stub = await eventually(lambda: _stub(said, case))
    assert isinstance(stub, Erased)
    assert (stub.reason, "ku" in stub.recipients) == ("rights_request", True)
    newest = {r.key: r.value for r in await said.read(topics.LOG) if f"/{case}/".encode() in (r.key or b"")}
    assert set(newest.values()) == {None}
    assert len(newest) == 4
    views = [r for r in await said.read(topics.views("ku")) if r.value and _of(r, "ce_subject") == case]
    assert _of(views[-1], "ce_type") == "dk.samspil.case-erased.v1"
    late = say("sof", "case-closed", case, "2026-03-06T12:00:00Z", outcome="resolved")
    await said.say([late])
    [answer] = await eventually(lambda: _answers(said, late))
    assert answer["reason"] == "unknown_case"


async def test_what_fell_due_as_its_owners_went_is_said_once_by_whoever_owns_it_then(
    kafka: RunningKafka, worker: WorkerProcess, tmp_path: Path
) -> None:
    """On the wall's clock, which settles for a while before a tick speaks: in between both owners die, one comes back.

    The other's share is dealt to it, and back later. There is a case in each partition, and nobody says another word of
    any until all is said.
    """
    worker.kill()
    kafka.reset()
    access = kafka.access("worker").aiokafka()
    owners = [WorkerProcess(access, tmp_path / name, name) for name in ("worker-1", "worker-2")]
    async with bus(kafka) as bus_:
        try:
            for owner in owners:
                owner.start()
            for owner in owners:
                await owner.ready()
            due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
            cases = _one_in_each_partition()
            await bus_.say(_children(cases, due - timedelta(hours=24)))
            await eventually(lambda: _heard_of(bus_, cases, 1))
            await eventually(lambda: datetime.now(UTC) > due)
            for owner in owners:
                owner.kill()
            owners[0].start()
            await eventually(lambda: _said_of(bus_, cases), timeout=60)
            owners[1].start()
            await owners[1].ready()
            await bus_.say(_children(cases, datetime.now(UTC)))  # had their new owner not known, it would speak now
            await eventually(lambda: _heard_of(bus_, cases, 2), timeout=60)
            assert await _said_of(bus_, cases) == Counter(cases)
        finally:
            for owner in owners:
                owner.kill()


async def _heard(bus_: Bus, saying: Saying) -> bool:
    logged = {_of(record, "ce_id") for record in await bus_.read(topics.LOG)}
    return saying.id in logged


async def _stub(bus_: Bus, case: str) -> Erased | None:
    found = await _state(bus_, case)
    return found if isinstance(found, Erased) else None


async def _answers(bus_: Bus, saying: Saying) -> list[dict[str, object]]:
    records = await bus_.read(topics.refusals(saying.party))
    return [orjson.loads(r.value) for r in records if (r.key or b"").decode() == saying.id]
