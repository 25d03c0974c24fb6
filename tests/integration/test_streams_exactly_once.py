"""What was acknowledged is judged once and each view is seen once, through kill -9 under load."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import uuid4

from tests.brokers import RunningKafka
from tests.bus import Bus, bus
from tests.exactly_once import accepted, holds
from tests.speech import Saying, activity, lonely_life
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

SPEAKERS = ("sof", "buf", "vink", "ku")
CASES_EACH = 14
KILLS = 3


def _sayings() -> dict[str, list[Saying]]:
    """What each party says: its cases interleaved, and some of it outside any case."""
    said: dict[str, list[Saying]] = {}
    for party in SPEAKERS:
        lives = [list(lonely_life(party, str(uuid4()))) for _ in range(CASES_EACH)]
        rounds = max(map(len, lives))
        said[party] = [life[n] for n in range(rounds) for life in lives if n < len(life)] + [activity(party)]
    return said


async def _speak(bus_: Bus, sayings: list[Saying]) -> None:
    for start in range(0, len(sayings), 7):
        await bus_.say(sayings[start : start + 7])
        await asyncio.sleep(0.2)  # load that lasts through the kills, not a wait for anything


async def test_every_event_is_judged_once_through_kills(kafka: RunningKafka, tmp_path: Path) -> None:
    kafka.reset()  # other tests write what no worker wrote
    said = _sayings()
    everything = [saying for sayings in said.values() for saying in sayings]
    worker = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path)
    async with bus(kafka) as bus_:
        worker.start()
        try:
            await worker.ready()
            speaking = asyncio.gather(*(_speak(bus_, sayings) for sayings in said.values()))
            for n in range(KILLS):
                some = (n + 1) * len(everything) // (KILLS + 2)
                await eventually(partial(_accepted, bus_, everything, some), timeout=60)
                worker.kill()
                worker.start()
            await speaking
            await eventually(partial(_accepted, bus_, everything, len(everything)), timeout=60)
        finally:
            worker.kill()
        await holds(bus_, everything)


async def _accepted(bus_: Bus, said: Sequence[Saying], count: int) -> bool:
    return len(await accepted(bus_, said)) >= count
