"""The broker part of a run on a cluster of three: a fault takes the broker away that leads something that matters.

What it leads goes in turn over the run. Only one is away at a time, and the next goes when every copy stands again:
two of three copies must stand, so a second absence would rightly stop everything.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import cycle
from pathlib import Path

from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.rights import WORKER_GROUP, WORKER_TRANSACTIONS
from tests import brokers
from tests.brokers import RunningCluster
from tests.chaos.lives import PARTIES
from tests.waiting import eventually_sync

_WHOLE_SECONDS = 120.0
_LEADER_SECONDS = 30.0


class ClusterBroker:
    """Three brokers, one of which may be away."""

    count = 3

    def __init__(self, home: Path) -> None:
        self._cluster = brokers.start_cluster(home, self.count)
        self._turns = cycle(_leaders(self._cluster).items())
        self._away = 0
        self.led: Counter[str] = Counter()

    def access(self, principal: str = "admin") -> KafkaAccess:
        return self._cluster.access(principal)

    def kill(self, number: int) -> None:
        self._choose(number)
        self._cluster.kill(self._away)

    def restart(self) -> None:
        self._cluster.restart(self._away)
        self._await_whole()

    def pause(self, number: int) -> None:
        self._choose(number)
        self._cluster.pause(self._away)

    def resume(self) -> None:
        self._cluster.resume(self._away)
        self._await_whole()

    def close(self) -> None:
        self._cluster.close()

    def _choose(self, number: int) -> None:
        self._await_whole()
        what, leader = next(self._turns)
        eventually_sync(lambda: leader(number) > 0, _LEADER_SECONDS)
        self._away = leader(number)
        self.led[what] += 1

    def _await_whole(self) -> None:
        eventually_sync(self._cluster.whole, _WHOLE_SECONDS)


def _leaders(cluster: RunningCluster) -> Mapping[str, Callable[[int], int]]:
    """Return who leads what, by its name. The number chooses which of several."""

    def admitted(number: int) -> int:
        return cluster.leader_of(topics.ADMITTED, number % topics.PARTITIONS)

    def inbox(number: int) -> int:
        return cluster.leader_of(topics.inbox(PARTIES[number % len(PARTIES)]))

    def transactions(number: int) -> int:
        name = f"{WORKER_TRANSACTIONS}coordinate.{topics.ADMITTED}.{number % topics.PARTITIONS}"
        return asyncio.run(cluster.writer_of(name))

    def group(_number: int) -> int:
        return asyncio.run(cluster.coordinator_of(WORKER_GROUP))

    return {
        "an admitted partition": admitted,
        "an inbox": inbox,
        "transactions": transactions,
        "the workers' group": group,
    }
