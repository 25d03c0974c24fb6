"""A dead letter on the real bus: an event that no step could judge is judged once the fault is mended, and once."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from consumers.dead_letters import DeadLetter
from deploy import clients
from deploy.cli import dead
from deploy.settings import Settings
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Outbound
from tests.brokers import RunningKafka
from tests.bus import Bus, bus
from tests.speech import lonely_life, say
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

POISONED = str(uuid4())


@pytest.fixture
async def said(kafka: RunningKafka) -> AsyncIterator[Bus]:
    kafka.reset()  # other tests leave letters
    async with bus(kafka) as bus_:
        yield bus_


async def _logged(bus_: Bus, id_: str) -> int:
    return await _count(bus_, topics.LOG, "ce_id", id_)


async def _seen(bus_: Bus, id_: str) -> int:
    return await _count(bus_, topics.views("ku"), "ce_causationid", id_)


async def _count(bus_: Bus, topic: str, header: str, id_: str) -> int:
    return [dict(record.headers).get(header) for record in await bus_.read(topic)].count(id_.encode())


async def _answers(bus_: Bus, id_: str) -> list[tuple[str, str | None]]:
    said = [json.loads(r.value) for r in await bus_.read(topics.refusals("buf")) if r.key == id_.encode()]
    return [(answer["verdict"], answer.get("reason")) for answer in said]


async def _answered(bus_: Bus, wanted: list[tuple[str, str | None]]) -> bool:
    return await _answers(bus_, POISONED) == wanted


async def _again(kafka: RunningKafka, letter: DeadLetter) -> None:
    """Open a settled letter, as it stands where `dead retry` is killed between its two records."""
    async with AcknowledgedSender(partial(clients.producer, kafka.access("worker"))) as send:
        await send(Outbound(topics.DEAD, 0, letter.key, canonical(letter.body())))


async def test_what_was_dead_is_judged_after_the_fault_is_mended(
    kafka: RunningKafka, said: Bus, tmp_path: Path
) -> None:
    settings = Settings(home=kafka.kafka.home, kafka_bootstrap=kafka.bootstrap)
    access = kafka.access("worker").aiokafka()
    case = str(uuid4())
    first, *_ = lonely_life("buf", case)
    poisoned = say("buf", "conversation-held", case, held_on="2026-01-20", outcome="continued").known_as(POISONED)
    faulty = WorkerProcess(access, tmp_path / "faulty", poison=[POISONED])
    faulty.start()
    try:
        await faulty.ready()
        await said.say([first, poisoned])
        [letter] = await eventually(lambda: dead.standing(settings))
    finally:
        faulty.stop()
    assert (letter.topic, letter.step, letter.error) == (topics.ADMITTED, "coordinate", "PoisonError")
    assert letter.partition == topics.partition_of(case.encode())
    mended = WorkerProcess(access, tmp_path / "mended")
    mended.start()
    try:
        await mended.ready()
        assert [submitted for _, submitted in await dead.retry(settings)] == [True]
        await eventually(lambda: _logged(said, POISONED))
        assert not await dead.standing(settings)
        assert not await dead.retry(settings)
        after = say("buf", "conversation-held", case, held_on="2026-01-21", outcome="continued")
        await said.say([after])
        await eventually(lambda: _logged(said, after.id))
        await _again(kafka, letter)
        assert [submitted for _, submitted in await dead.retry(settings)] == [True]
        refused_once, said_before = ("refused", "internal"), ("accepted", None)
        await eventually(lambda: _answered(said, [refused_once, said_before]))
        assert await _logged(said, POISONED) == 1
        assert await _seen(said, POISONED) == 1
    finally:
        mended.stop()
