"""Three brokers, leaders killed in turn under load: no acknowledged event is lost, and each is judged once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupLoadInProgressError, NotCoordinatorForGroupError

from deploy import topics_admin
from schemas import topics
from schemas.errors import TopicMismatchError
from schemas.rights import WORKER_GROUP, WORKER_TRANSACTIONS
from streams.group_consumer import GroupConsumer
from streams.transport import PACE
from tests import brokers
from tests.brokers import RunningCluster
from tests.bus import Bus, bus
from tests.exactly_once import accepted, holds
from tests.speech import Saying, lonely_life
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

SPEAKERS = ("sof", "buf", "vink", "ku")
MORE = 20  # events that must be judged between two kills, so that each meets a bus at work


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    running = brokers.start_cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.close()


def test_topics_have_three_copies_of_which_two_must_stand(cluster: RunningCluster) -> None:
    catalogue = topics.catalogue(brokers.parties())
    topics_admin.require_shape(cluster.access(), catalogue, replication=3)
    assert cluster.apply() == topics_admin.Changes(0, 0, 0, 0)
    with pytest.raises(TopicMismatchError, match="copies: 3"):
        topics_admin.require_shape(cluster.access(), catalogue, replication=4)


async def test_no_acknowledged_event_is_lost_with_a_leader(cluster: RunningCluster, tmp_path: Path) -> None:
    """Of admitted events, of the transactions, of the group; each leads a third of the inboxes and views besides.

    Each loses its disk too. A process that is only killed loses nothing that it wrote, replicated or not.
    """
    leaders: list[Callable[[], Awaitable[int]]] = [
        partial(_leader, cluster, topics.ADMITTED),
        partial(cluster.writer_of, f"{WORKER_TRANSACTIONS}coordinate.{topics.ADMITTED}.0"),
        partial(cluster.coordinator_of, WORKER_GROUP),
    ]
    said: list[Saying] = []
    async with bus(cluster) as bus_:
        async with _working(cluster, tmp_path):
            async with _speaking(bus_, said):
                for leader in leaders:
                    await _some_more(bus_, said)
                    node = await eventually(partial(_standing, leader))
                    await asyncio.to_thread(cluster.kill, node)
                    await _some_more(bus_, said)
                    cluster.lose_disk(node)
                    await asyncio.to_thread(cluster.restart, node)
                    await eventually(partial(asyncio.to_thread, cluster.whole), timeout=120)
                await _some_more(bus_, said)
            await eventually(partial(_judged, bus_, said, len(said)), timeout=120)
        await holds(bus_, said)


async def _leader(cluster: RunningCluster, topic: str) -> int:
    return await asyncio.to_thread(cluster.leader_of, topic)


async def _standing(leader: Callable[[], Awaitable[int]]) -> int | None:
    node = await leader()
    return node if node > 0 else None


async def _some_more(bus_: Bus, said: list[Saying]) -> None:
    """Return once some more events were judged than were by now."""
    now = len(await accepted(bus_, said))
    await eventually(partial(_judged, bus_, said, now + MORE), timeout=120)


async def _judged(bus_: Bus, said: list[Saying], count: int) -> bool:
    return len(await accepted(bus_, said)) >= count


@asynccontextmanager
async def _working(cluster: RunningCluster, home: Path) -> AsyncIterator[None]:
    """A worker that is started again whenever it ends, as its supervisor would."""
    worker = WorkerProcess(cluster.access("worker").aiokafka(), home)
    worker.start()

    async def supervise() -> None:
        while True:
            if worker.exit_code is not None:
                worker.start()
            await asyncio.sleep(0.1)

    supervising = asyncio.create_task(supervise())
    try:
        await worker.ready()
        yield
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
        worker.kill()


@asynccontextmanager
async def _speaking(bus_: Bus, said: list[Saying]) -> AsyncIterator[None]:
    """Everybody speaks until the end of the block. `said` is what was acknowledged."""
    enough = asyncio.Event()
    speaking = [asyncio.create_task(_speak(bus_, party, said, enough)) for party in SPEAKERS]
    try:
        yield
    finally:
        enough.set()
        await asyncio.gather(*speaking)


async def _speak(bus_: Bus, party: str, said: list[Saying], enough: asyncio.Event) -> None:
    while not enough.is_set():
        for saying in lonely_life(party, str(uuid4())):
            await bus_.say([saying])
            said.append(saying)
        await asyncio.sleep(0.5)  # a load that leaves the brokers time to come back


async def test_a_coordinator_that_is_none_any_more_is_not_taken_for_a_group_without_offsets(
    cluster: RunningCluster,
) -> None:
    """Else a worker that claims a partition while the group's coordinator changes judges all of it anew."""
    place = TopicPartition(topics.ADMITTED, 0)
    reader = GroupConsumer(**cluster.access().aiokafka(), pace=PACE, group_id=str(uuid4()), enable_auto_commit=False)
    await reader.start()

    async def told() -> list[int | None]:
        try:
            return [await reader.committed(place)]
        except GroupLoadInProgressError:  # what asking for has made
            return []

    try:
        assert await eventually(told) == [None]
        reader.assign([place])
        await reader.commit({place: 7})
        assert await eventually(told) == [7]
        another = next(node for node in cluster.nodes if node != reader._coordinator.coordinator_id)
        reader._coordinator.coordinator_id = another
        assert await AIOKafkaConsumer.committed(reader, place) is None  # what the client itself makes of it
        reader._coordinator.coordinator_id = another
        with pytest.raises(NotCoordinatorForGroupError):
            await reader.committed(place)
        assert await eventually(told) == [7]
    finally:
        await reader.stop()
