"""Very many cases of one partition that are due at once, as after a long outage: each said once, and none forgotten.

That others have their turn between is tried in tests/unit/test_tick_turns.py, where the order is certain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaProducer, ConsumerRecord

from schemas import admission, topics
from schemas.envelope import Event
from schemas.records import Inbound, Outbound
from streams.admit import admitted_record
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests import wire
from tests.brokers import RunningKafka
from tests.bus import Bus, bus
from tests.speech import concern
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

PARTITION = 3
CASES = 5_000
RAISED = datetime(2026, 3, 2, 12, tzinfo=UTC)  # its deadlines passed long ago
DUE = 2  # deadlines of each case


async def test_all_that_is_due_is_said_once_and_an_event_is_judged_beside_it(
    kafka: RunningKafka, tmp_path: Path
) -> None:
    kafka.reset()
    await _write(kafka, _states(islice(_at_home(), CASES)))
    worker = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path)
    worker.start()
    try:
        await worker.ready()
        async with bus(kafka) as bus_:
            await eventually(lambda: _late(bus_))
            said = concern("buf", next(_at_home()))
            await bus_.say([said])
            await eventually(lambda: _heard(bus_, said.id))
            await eventually(lambda: _late(bus_, CASES * DUE), timeout=120)
            last = concern("buf", next(_at_home()))
            await bus_.say([last])
            await eventually(lambda: _heard(bus_, last.id))
            late = await _late(bus_) or []
        assert len(late) == len({record.key for record in late}) == CASES * DUE
        assert worker.exit_code is None
    finally:
        worker.kill()


def _at_home() -> Iterator[str]:
    """Yield ids of cases of the partition."""
    while True:
        case = str(uuid4())
        if topics.partition_of(case.encode()) == PARTITION:
            yield case


def _states(cases: Iterable[str]) -> Iterator[Outbound]:
    """Yield what COORDINATE would have written of cases of children that were raised then and forgotten."""
    contract = wire.contracts().at(RAISED)
    step = Coordinate(wire.contracts(), lambda: wire.BUS_SALT)
    for case in cases:
        raised = concern("buf", case, age_band="15_17", observed_on=RAISED.date().isoformat())
        said = replace(raised, time=RAISED.isoformat())
        event = admission.admit(contract, said.party, said.headers, said.value, RAISED)
        assert isinstance(event, Event)
        record = admitted_record(wire.sealed(contract, event, RAISED))
        inbound = Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers)
        yield from (one for one in judged(step, [inbound], States()).outputs if one.topic == topics.CASES)


async def _write(kafka: RunningKafka, records: Iterable[Outbound]) -> None:
    async with AIOKafkaProducer(**kafka.access().aiokafka(), enable_idempotence=True) as producer:
        for one in records:
            headers = list(one.headers)
            await producer.send(one.topic, one.value, key=one.key, partition=one.partition, headers=headers)
        await producer.flush()


async def _late(bus_: Bus, number: int = 1) -> list[ConsumerRecord] | None:
    found = [r for r in await bus_.read(topics.LOG) if _of(r, "ce_type") == "dk.samspil.deadline-passed.v1"]
    return found if len(found) >= number else None


async def _heard(bus_: Bus, id_: str) -> ConsumerRecord | None:
    return next((record for record in await bus_.read(topics.LOG) if _of(record, "ce_id") == id_), None)


def _of(record: ConsumerRecord, name: str) -> str:
    return str(dict(record.headers).get(name, b"").decode())
