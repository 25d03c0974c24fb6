"""A worker that lives and does nothing ends, whatever stands still in it, and the next one judges what waited."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.worker import CRASHED
from schemas import topics
from schemas.contract_files import load_all
from streams.lag import Lag
from streams.ownership import Phase
from streams.states import restore
from streams.watchdog import Watchdog
from tests.brokers import POLICIES, RunningKafka, parties
from tests.bus import Bus, bus
from tests.exactly_once import accepted
from tests.speech import Saying, activity, concern
from tests.standstills import Standstill
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

PATIENCE = 15.0  # less than a setting may be, more than a worker takes to be assigned its first partitions
ADMITTED = TopicPartition(topics.ADMITTED, 5)
_PLACES = topics.PARTITIONS + sum(topics.partitions(topics.inbox(party)) for party in parties())
WITNESS = {
    Standstill.STEP: "partition_stalled",
    Standstill.CONSUMER: "partition_stalled",
    Standstill.INTERPRETER: "Timeout (",  # of the timer that needs no interpreter
}


async def test_a_worker_that_stands_still_ends(kafka: RunningKafka, tmp_path: Path) -> None:
    """In each way once: the next life judges what the last one left, and stands still in its turn."""
    fatal = {kind: concern("buf", str(uuid4())) for kind in WITNESS}
    lives = [_life(kafka, tmp_path / kind, (kind, fatal[kind].id)) for kind in WITNESS]
    last = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path / "last")
    async with bus(kafka) as bus_:
        try:
            lives[0].start()
            for kind, standing, successor in zip(WITNESS, lives, [*lives[1:], last], strict=True):
                await standing.ready()
                said = [fatal[kind], *(activity(party) for party in ("buf", "sof", "ku"))]
                await bus_.say(said)
                await eventually(partial(_has_ended, standing), timeout=120)
                assert standing.exit_code == CRASHED
                assert WITNESS[kind] in standing.log.read_text()
                successor.start()
                await eventually(partial(_all_judged, bus_, said), timeout=60)
                log = Counter(dict(record.headers)["ce_id"] for record in await accepted(bus_, said))
                assert set(log.values()) == {1}
        finally:
            for life in (*lives, last):
                life.kill()


async def test_a_worker_whose_claim_is_never_made_ends(kafka: RunningKafka, tmp_path: Path) -> None:
    """Though it is a member of the group, and all its other claims are made."""
    kafka.reset()
    worker = _life(kafka, tmp_path, (Standstill.CLAIM, ""))
    worker.start()
    try:
        await eventually(partial(_has_ended, worker), timeout=120)
        assert worker.exit_code == CRASHED
        said = worker.log.read_text()
        assert f'"topic":"{ADMITTED.topic}","partition":{ADMITTED.partition},"seconds"' in said
        assert said.count("claim_stalled") == 1
        assert len(_claimed(said)) == _PLACES - 1
        assert ADMITTED not in _claimed(said)
    finally:
        worker.kill()


def _claimed(log: str) -> set[TopicPartition]:
    lines = (json.loads(line) for line in log.splitlines() if "partition_claimed" in line)
    return {TopicPartition(line["topic"], line["partition"]) for line in lines}


async def test_a_claim_tells_of_each_answer_as_it_reads_its_states(
    kafka: RunningKafka, writer: AIOKafkaProducer
) -> None:
    contracts, moves = load_all(POLICIES), [0, 0]
    judged_by = [("ce_contract", contracts.newest.digest.encode())]

    async def restored(number: int) -> int:
        def moved() -> None:
            moves[number] += 1

        return len(await restore(kafka.access("worker").aiokafka(), 0, contracts, moved))

    assert await restored(0) == 0
    async with writer.transaction():
        for key in (b"1", b"2"):
            await writer.send_and_wait(topics.CASES, b"{}", key=key, partition=0, headers=judged_by)
    await _ends_at(kafka, 3, TopicPartition(topics.CASES, 0))
    assert await restored(1) == 2
    assert moves[1] > moves[0] >= 4  # to start, where it begins and ends, to stop


def _life(kafka: RunningKafka, home: Path, still: tuple[Standstill, str]) -> WorkerProcess:
    return WorkerProcess(kafka.access("worker").aiokafka(), home, still=still, patience=PATIENCE)


def _has_ended(worker: WorkerProcess) -> bool:
    return worker.exit_code is not None


async def _all_judged(bus_: Bus, said: list[Saying]) -> bool:
    return len(await accepted(bus_, said)) >= len(said)


@pytest.fixture
async def writer(kafka: RunningKafka) -> AsyncIterator[AIOKafkaProducer]:
    kafka.reset()
    producer = AIOKafkaProducer(**kafka.access().aiokafka(), transactional_id=f"test-{uuid4()}")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
async def lag(kafka: RunningKafka) -> AsyncIterator[Lag]:
    asked = Lag(kafka.access("worker").aiokafka())
    yield asked
    await asked.close()


async def _ends_at(kafka: RunningKafka, offset: int, place: TopicPartition = ADMITTED) -> None:
    """Return once the partition ends here: a marker is written a moment after the commit was acknowledged."""
    reader = AIOKafkaConsumer(**kafka.access("worker").aiokafka(), isolation_level="read_committed")
    await reader.start()

    async def ends() -> bool:
        return bool((await reader.end_offsets([place]))[place] == offset)

    try:
        await eventually(ends)
    finally:
        await reader.stop()


async def _write(writer: AIOKafkaProducer, count: int = 1) -> None:
    for _ in range(count):
        await writer.send_and_wait(ADMITTED.topic, b"{}", partition=ADMITTED.partition)


async def test_a_record_behind_a_position_that_stands_is_lag(writer: AIOKafkaProducer, lag: Lag) -> None:
    async with writer.transaction():
        await _write(writer, 3)
    assert await lag.behind({ADMITTED: 1}) == {}  # it may have moved since
    await _is_behind(lag, 1)
    assert await lag.behind({ADMITTED: 2}) == {}  # it moved
    await _is_behind(lag, 2)


async def _is_behind(lag: Lag, position: int) -> None:
    """Soon: a marker is written a moment after the commit was acknowledged."""

    async def behind() -> bool:
        return await lag.behind({ADMITTED: position}) == {ADMITTED: position}

    await eventually(behind)


async def test_a_transactions_marker_is_no_lag(kafka: RunningKafka, writer: AIOKafkaProducer, lag: Lag) -> None:
    """Else every quiet partition would be one record behind for ever."""
    for position in (1, 3):
        async with writer.transaction():
            await _write(writer)
        await _ends_at(kafka, position + 1)
        assert [await lag.behind({ADMITTED: position}) for _ in range(3)] == [{}] * 3
    await _is_behind(lag, 1)


async def test_what_was_aborted_is_no_lag(kafka: RunningKafka, writer: AIOKafkaProducer, lag: Lag) -> None:
    await writer.begin_transaction()
    await _write(writer, 2)
    await writer.abort_transaction()
    await _ends_at(kafka, 3)
    assert [await lag.behind({ADMITTED: 0}) for _ in range(3)] == [{}] * 3


async def test_a_transaction_under_way_is_no_lag(writer: AIOKafkaProducer, lag: Lag) -> None:
    """It holds back what others wrote after it too: nobody could have been given that."""
    await writer.begin_transaction()
    await _write(writer)
    assert [await lag.behind({ADMITTED: 0}) for _ in range(3)] == [{}] * 3
    await writer.commit_transaction()
    await _is_behind(lag, 0)


@dataclass(frozen=True)
class Standing:
    """A worker that stands at the beginning."""

    phase: Phase = Phase.SERVING
    epoch: int = 1
    positions: Mapping[TopicPartition, int] = field(default_factory=lambda: {ADMITTED: 0})
    under_way: Mapping[TopicPartition, int] = field(default_factory=dict)
    moves: Mapping[TopicPartition, int] = field(default_factory=dict)
    making: Mapping[tuple[TopicPartition, int], int] = field(default_factory=dict)


async def test_a_look_at_a_broker_that_is_away_is_none(kafka: RunningKafka) -> None:
    """The client's own error says so, and is no end of the worker. Whoever looks again finds the broker."""
    kafka.reset()
    connection = {**kafka.access("worker").aiokafka(), "request_timeout_ms": 3_000}
    failures: list[BaseException] = []
    lag, dog = Lag(connection), Watchdog(connection, Standing(), failures.append)
    try:
        await eventually(dog.look)
        assert await lag.behind({ADMITTED: 0}) == {}
        kafka.kill()
        with pytest.raises(KafkaError):
            async with asyncio.timeout(60):  # whose own error is another one
                await lag.behind({ADMITTED: 0})
        assert not await dog.look()
        kafka.restart()
        await eventually(dog.look)
        assert failures == []
    finally:
        await lag.close()
        await dog._forget_client()
