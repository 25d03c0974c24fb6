"""One worker on the real broker: what it judges, what it leaves behind, what it survives."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Producer

from schemas import state, topics
from schemas.case import Case
from schemas.check import FULL
from schemas.rights import WORKER_TRANSACTIONS
from streams.coordinate import MOST_STATE
from tests.brokers import POLICIES, RunningKafka, parties
from tests.bus import Bus, bus
from tests.speech import Saying, activity, concern, life, lonely_life, say
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

CPR = "251248-9996"
POISONED = str(uuid4())  # the worker's steps raise for an event with this id, or this correlation id
PLACES = len(parties()) + topics.PARTITIONS


@pytest.fixture(scope="module")
async def worker(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkerProcess]:
    kafka.reset()  # other tests write what no worker wrote
    process = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path_factory.mktemp("worker"), poison=[POISONED])
    process.start()
    await process.ready()
    yield process
    process.kill()


@pytest.fixture
async def said(kafka: RunningKafka) -> AsyncIterator[Bus]:
    async with bus(kafka) as bus_:
        yield bus_


async def _in_log(bus_: Bus, saying: Saying) -> ConsumerRecord:
    async def found() -> ConsumerRecord | None:
        return next((r for r in await bus_.read(topics.LOG) if _header(r, "ce_id") == saying.id), None)

    return await eventually(found)


async def _refusal(bus_: Bus, saying: Saying) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        records = await bus_.read(topics.refusals(saying.party))
        return next((json.loads(r.value) for r in records if (r.key or b"").decode() == saying.id), None)

    return await eventually(found) or {}


def _header(record: ConsumerRecord, name: str) -> str:
    return str(dict(record.headers).get(name, b"").decode())


async def test_quiet_partitions_are_claimed(worker: WorkerProcess) -> None:
    """Ticks must run on partitions that no record ever reached."""
    claimed = [line for line in worker.log.read_text().splitlines() if "partition_claimed" in line]
    places = {(json.loads(line)["topic"], json.loads(line)["partition"]) for line in claimed}
    assert len(places) == PLACES


@pytest.mark.usefixtures("worker")
async def test_a_case_is_followed_through_both_steps(said: Bus) -> None:
    case = str(uuid4())
    for saying in life(case):
        await said.say([saying])
        await _in_log(said, saying)
    kept = {r.key: r.value for r in await said.read(topics.CASES)}
    found = state.decode(kept[case.encode()])
    assert isinstance(found, Case)
    assert (found.owner, found.active, len(found.said)) == ("sof", True, 6)


@pytest.mark.usefixtures("worker")
async def test_the_sender_of_nonsense_alone_is_told_so(said: Bus) -> None:
    """Nothing of the record but its id and known paths is repeated, and the inbox forgets it within seconds."""
    saying = concern("politi", str(uuid4()), person=CPR)
    await said.say([saying])
    refusal = await _refusal(said, saying)
    assert (refusal["reason"], refusal["paths"]) == ("schema", ["/data/person"])
    await eventually(partial(_is_empty, said, "politi"))
    everywhere = [topic.name for topic in topics.catalogue(parties())]
    assert not [r for r in await said.read(*everywhere) if CPR.encode() in b"".join((r.key or b"", r.value or b""))]


async def _is_empty(bus_: Bus, party: str) -> bool:
    begin, end = await bus_.bounds(topics.inbox(party))
    return begin == end > 0


class _Unreadable(str):
    """A header's name that is no UTF-8 on the wire. No client of ours writes one; a raw one can."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


async def _say_unreadable(kafka: RunningKafka, inbox: str, count: int) -> None:
    producer = AIOKafkaProducer(**kafka.access().aiokafka())
    await producer.start()
    batch = producer.create_batch()
    # the client's compiled builder takes plain text alone; its Python one asks the name for its bytes
    batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 16)
    for _ in range(count):
        batch.append(key=None, value=b"{}", timestamp=None, headers=[(_Unreadable("x"), b"y")])
    await (await producer.send_batch(batch, inbox, partition=0))
    await producer.stop()


@pytest.mark.usefixtures("worker")
async def test_a_record_that_the_client_cannot_read_stops_nothing(kafka: RunningKafka, said: Bus) -> None:
    """It is refused like an empty one, and what stands before and after it is judged once."""
    before, after = [activity("by-malmoe") for _ in range(3)], activity("by-malmoe")
    await said.say(before)
    await _say_unreadable(kafka, topics.inbox("by-malmoe"), 2)
    await said.say([after])
    await _in_log(said, after)
    logged = Counter(_header(record, "ce_id") for record in await said.read(topics.LOG))
    assert [logged[saying.id] for saying in (*before, after)] == [1, 1, 1, 1]
    answers = [json.loads(record.value) for record in await said.read(topics.refusals("by-malmoe"))]
    assert [answer["reason"] for answer in answers] == ["bad_envelope", "bad_envelope"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_compressed_event_is_one_like_any_other(kafka: RunningKafka, said: Bus, codec: str) -> None:
    """A party's client may compress as it likes; ours could not even read some of it."""
    saying = activity("kriminalforsorgen")
    producer = Producer({**kafka.access("kriminalforsorgen").librdkafka(), "compression.type": codec})
    inbox = topics.inbox("kriminalforsorgen")
    producer.produce(inbox, saying.value, saying.key, partition=0, headers=list(saying.headers))
    assert await asyncio.to_thread(producer.flush, 10) == 0
    await _in_log(said, saying)


async def test_what_was_cut_is_gone_from_the_disk(kafka: RunningKafka, worker: WorkerProcess, said: Bus) -> None:
    """The file too, though nobody says a word more: no value stays where a careless client put it."""
    saying = concern("kff", str(uuid4()), person=CPR)
    await said.say([saying])
    assert worker.exit_code is None
    await _refusal(said, saying)
    files = kafka.kafka.home / "kafka" / f"{topics.inbox('kff')}-0"
    await eventually(lambda: CPR.encode() not in b"".join(_read(file) for file in files.iterdir()), 40)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # the broker deleted it just now
        return b""


@pytest.mark.usefixtures("worker")
async def test_what_is_said_twice_is_answered_with_the_first_verdict(said: Bus) -> None:
    saying = activity("kff")
    await said.say([saying, saying])
    await _in_log(said, saying)
    answer = await _refusal(said, saying)
    assert answer == {"id": saying.id, "verdict": "accepted", "withheld": [], "duplicate": True}


async def test_an_event_that_cannot_be_judged_stops_nothing(worker: WorkerProcess, said: Bus) -> None:
    """The publisher hears `internal`, the operator gets the place, the case goes on as if it was not said."""
    case = str(uuid4())
    first, *rest = lonely_life("buf", case)
    poisoned = say("buf", "conversation-held", case, held_on="2026-01-20", outcome="continued").known_as(POISONED)
    await said.say([first, poisoned, *rest])
    await _in_log(said, rest[-1])
    assert (await _refusal(said, poisoned))["reason"] == "internal"
    letters = [json.loads(r.value) for r in await said.read(topics.DEAD)]
    mine = [letter for letter in letters if letter["topic"] == topics.ADMITTED]
    assert {(letter["step"], letter["error"]) for letter in mine} == {("coordinate", "PoisonError")}
    assert all(letter.keys() == {"topic", "partition", "offset", "step", "error"} for letter in mine)
    assert CPR not in worker.log.read_text()
    kept = {r.key: r.value for r in await said.read(topics.CASES)}
    found = state.decode(kept[case.encode()])
    assert isinstance(found, Case)
    assert POISONED not in found.said


@pytest.mark.usefixtures("worker")
async def test_a_record_that_cannot_be_admitted_stops_nothing(said: Bus) -> None:
    poisoned, next_ = activity("tmf").caused_by(POISONED), activity("tmf")
    await said.say([poisoned, next_])
    await _in_log(said, next_)
    assert (await _refusal(said, poisoned))["reason"] == "internal"
    letters = [json.loads(r.value) for r in await said.read(topics.DEAD)]
    assert [(x["step"], x["error"]) for x in letters if x["topic"] == topics.inbox("tmf")] == [("admit", "PoisonError")]


@pytest.mark.usefixtures("worker")
async def test_a_case_takes_a_thousand_events_and_can_still_be_closed(said: Bus) -> None:
    """Said in one go. The next one is told that the case is full; its state is one record, and far from too large."""
    case = str(uuid4())
    opened, screened, *_, closed = lonely_life("sof", case)
    *fitting, surplus = [say("sof", "follow-up-held", case, progress="unchanged") for _ in range(FULL - 1)]
    await said.say([opened, screened, *fitting, surplus, closed])
    await eventually(partial(_is_logged, said, closed), timeout=60)
    assert (await _refusal(said, surplus))["reason"] == "case_full"
    kept = {r.key: r.value for r in await said.read(topics.CASES)}[case.encode()]
    found = state.decode(kept)
    assert isinstance(found, Case)
    assert set(found.said) == {saying.id for saying in (opened, screened, *fitting, closed)}
    assert found.closed
    assert len(kept) < MOST_STATE / 4


async def _is_logged(bus_: Bus, saying: Saying) -> bool:
    return any(_header(record, "ce_id") == saying.id for record in await bus_.read(topics.LOG))


async def test_a_stop_in_order_takes_seconds_and_the_next_start_goes_on(worker: WorkerProcess, said: Bus) -> None:
    case = str(uuid4())
    before, *after = lonely_life("vink", case)
    await said.say([before])
    await _in_log(said, before)
    assert worker.stop() == 0
    assert "Unclosed" not in worker.log.read_text()
    await said.say(after)
    worker.start()
    for saying in after:
        await _in_log(said, saying)


async def test_what_a_crash_left_in_the_inbox_is_cut_at_the_next_claim(worker: WorkerProcess, said: Bus) -> None:
    """A record judged and committed, but not cut: as after a crash between the two."""
    saying = activity("suf")
    await said.say([saying])
    await _in_log(said, saying)
    worker.kill()
    worker.start()
    await worker.ready()
    await eventually(partial(_is_empty, said, "suf"))


async def test_a_frozen_worker_is_fenced_by_its_successor(
    kafka: RunningKafka, worker: WorkerProcess, said: Bus, tmp_path: Path
) -> None:
    """The zombie wakes to find every commit refused, and ends; what it held is judged once, by the other."""
    saying = activity("bif")
    worker.send(signal.SIGSTOP)
    successor = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path)
    successor.start()
    try:
        await successor.ready()
        await said.say([saying])
        await _in_log(said, saying)
        worker.send(signal.SIGCONT)
        await eventually(lambda: worker.exit_code is not None)
        again = activity("bif")
        await said.say([again])
        await _in_log(said, again)
        assert [_header(r, "ce_id") for r in await said.read(topics.LOG)].count(saying.id) == 1
    finally:
        successor.stop()
        worker.kill()
        worker.start()
        await worker.ready()


async def test_a_claim_fences_the_owner_before(kafka: RunningKafka, worker: WorkerProcess, said: Bus) -> None:
    """Whoever starts the partition's producer owns it: the worker's next commit fails, and it ends."""
    identity = f"{WORKER_TRANSACTIONS}admit.{topics.inbox('ekp')}.0"
    thief = AIOKafkaProducer(**kafka.access("worker").aiokafka(), transactional_id=identity)
    await thief.start()
    saying = activity("ekp")
    await said.say([saying])
    await eventually(lambda: worker.exit_code is not None)
    assert worker.exit_code == 1
    await thief.stop()
    worker.start()
    await worker.ready()
    await _in_log(said, saying)


async def test_what_a_dying_broker_acknowledged_is_judged_once(kafka: RunningKafka, worker: WorkerProcess) -> None:
    """Through kill -9 of the broker itself: the worker goes on, or ends and is started again."""
    sayings = [activity("ssp") for _ in range(60)]
    async with bus(kafka) as bus_:
        await bus_.say(sayings[:30])
        saying = asyncio.create_task(bus_.say(sayings[30:]))
        await asyncio.to_thread(kafka.kill)
        await asyncio.to_thread(kafka.restart)
        await saying

        async def judged() -> bool:
            if worker.exit_code is not None:  # what the supervisor does
                worker.start()
            log = [_header(r, "ce_id") for r in await bus_.read(topics.LOG)]
            return {s.id for s in sayings} <= set(log)

        await eventually(judged, timeout=60)
        log = Counter(_header(r, "ce_id") for r in await bus_.read(topics.LOG))
        assert {log[saying.id] for saying in sayings} == {1}


async def test_a_worker_without_the_contract_that_judged_refuses_to_start(
    kafka: RunningKafka, worker: WorkerProcess, said: Bus, tmp_path: Path
) -> None:
    saying = activity("sof")
    await said.say([saying])
    await _in_log(said, saying)
    assert worker.stop() == 0
    other = WorkerProcess(
        kafka.access("worker").aiokafka(), tmp_path / "home", policies=_another_contract(tmp_path / "policies")
    )
    other.start()
    await eventually(lambda: other.exit_code is not None, timeout=60)
    assert other.exit_code == 78
    worker.start()


def _another_contract(folder: Path) -> Path:
    newest = max(POLICIES.iterdir())
    copy = folder / newest.name
    copy.mkdir(parents=True)
    for file in newest.iterdir():
        text = file.read_text()
        (copy / file.name).write_text(text.replace("da: Bekymring modtaget", "da: Bekymring hørt"))
    return folder
