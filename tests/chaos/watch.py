"""Looking on while a run lasts: what was acknowledged, what of it is judged, and how long nothing was.

A stall is a time in which nothing was judged although something acknowledged waited. It is told by the fault
that was under way, since a broker that is down stalls everything by itself.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from math import inf
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.records import Inbound
from tests.chaos import reading
from tests.chaos.found import headers_of
from tests.chaos.journal import Reader
from tests.chaos.plan import Kind

_LOOK_SECONDS = 0.2


class Watch(threading.Thread):
    """Follows log and refusals as any reader could, and the publishers' journals."""

    def __init__(self, access: KafkaAccess, journals: Iterable[Path], parties: Iterable[str]) -> None:
        super().__init__(name="watch", daemon=True)
        self._readers = [Reader(path) for path in journals]
        self._consumer = Consumer(reading.settings(access))
        names = [topics.LOG, *map(topics.refusals, parties)]
        places = [(name, partition) for name in names for partition in range(topics.partitions(name))]
        self._consumer.assign([TopicPartition(*place, 0) for place in places])
        self._judged: set[str] = set()
        self._acknowledged: dict[str, int] = {}  # id -> the how-manieth it was
        self._waits_since: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._since = time.monotonic()  # when something was judged last, or began to wait
        self._newest_judged = 0
        self.looks = 0  # rounds that are over
        self._stopping = threading.Event()
        self.under_way: Kind | None = None
        self.stalls: dict[Kind | None, float] = {}
        self.longest_wait: tuple[float, str] = (0.0, "")  # of one event for its verdict, and its id

    @property
    def judged(self) -> int:
        """How many events have an answer."""
        return len(self._judged)

    @property
    def acknowledged(self) -> int:
        """How many events were acknowledged."""
        return len(self._acknowledged)

    @property
    def newest_judged(self) -> int:
        """Of the acknowledged events that are judged, the how-manieth the last acknowledged one is."""
        return self._newest_judged

    @property
    def waiting(self) -> int:
        """How many of the acknowledged events have none yet."""
        return len(self._waiting)

    @property
    def waiters(self) -> list[str]:
        """The ids of those that wait, the longest waiting first."""
        return sorted(self._waiting, key=lambda id_: self._waits_since.get(id_, inf))

    @property
    def notes(self) -> Counter[str]:
        """What the publishers noted beside acknowledgements, and how often."""
        return sum((reader.notes for reader in self._readers), Counter())

    def run(self) -> None:
        """Look until stopped."""
        try:
            while not self._stopping.is_set():
                self._look()
        finally:
            self._consumer.close()

    def position(self, place: reading.Place) -> int:
        """How far it has read; negative where that is nowhere yet, or it has ended."""
        return self._consumer.position([TopicPartition(*place)])[0].offset if self.is_alive() else -1

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def _look(self) -> None:
        answered = {
            _id(reading.inbound(message))
            for message in self._consumer.consume(500, _LOOK_SECONDS)
            if message.error() is None
        }
        known = [line.id for reader in self._readers for line in reader.news()]
        self._note(answered - self._judged, known)
        self.looks += 1

    def _note(self, answered: set[str], known: list[str]) -> None:
        now = time.monotonic()
        if self._waiting:
            stall = now - self._since
            self.stalls[self.under_way] = max(stall, self.stalls.get(self.under_way, 0.0))
        self._judged |= answered
        for id_ in known:
            self._acknowledged.setdefault(id_, len(self._acknowledged) + 1)
        judged = [self._acknowledged[id_] for id_ in {*answered, *known} & self._judged if id_ in self._acknowledged]
        self._newest_judged = max([self._newest_judged, *judged])
        before = bool(self._waiting)
        self._waiting = self._waiting.union(known) - self._judged
        self._time(now, known)
        if answered or not before:
            self._since = now

    def _time(self, now: float, known: list[str]) -> None:
        for id_ in known:
            self._waits_since.setdefault(id_, now)
        for id_ in self._waits_since.keys() - self._waiting:
            self.longest_wait = max(self.longest_wait, (now - self._waits_since.pop(id_), id_))


def _id(record: Inbound) -> str:
    return headers_of(record).get("ce_id") or (record.key or b"").decode()
