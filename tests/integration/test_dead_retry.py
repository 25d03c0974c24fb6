"""A dead letter on the real bus: an event that no step could judge is judged once the fault is mended, and once."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.cli import dead
from deploy.settings import Settings
from schemas import topics
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
    ids = [dict(record.headers).get("ce_id", b"").decode() for record in await bus_.read(topics.LOG)]
    return ids.count(id_)


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
    await faulty.ready()
    await said.say([first, poisoned])
    await eventually(lambda: dead.standing(settings))
    faulty.stop()
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
        assert await _logged(said, POISONED) == 1
    finally:
        mended.stop()
