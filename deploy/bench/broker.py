"""A broker of the benchmark's own, as the embedded default runs it: a full JVM, rights in force."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy import topics_admin
from deploy.embedded import credentials, jars, ports
from deploy.embedded.kafka import READY_SECONDS, Kafka
from deploy.embedded.processes import Children
from deploy.kafka_access import KafkaAccess, listed
from schemas import rights, topics
from schemas.errors import UnreachableError

PREFIX = "bench."  # of topics that are not the bus's
KEPT = PREFIX + "kept."  # of those that outlive a `fresh`
_SECONDS = 60.0
_PATIENCE = 900.0
_LOOK = 0.1
_QUIET = 3.0  # seconds; a transaction takes a tenth of one
_SETTLED = 10.0  # seconds
_ANSWER = 2.0
Place = tuple[str, int]


class Broker:
    """A running Kafka whose topics are the bus's."""

    def __init__(self, kafka: Kafka, children: Children, home: Path, parties: Iterable[str]) -> None:
        self.home = home
        self.children = children
        self.parties = tuple(sorted(parties))
        self._kafka = kafka
        self._admin: AdminClient = kafka.access().admin()
        watching = {**kafka.access().librdkafka(), "group.id": PREFIX + "watcher"}
        self._watcher = Consumer(watching)
        self._foreseer = Consumer({**watching, "isolation.level": "read_uncommitted"})

    def access(self, principal: str = credentials.ADMIN) -> KafkaAccess:
        return self._kafka.access(principal)

    def fresh(self) -> None:
        """Make every topic of the bus anew and empty, and remove what the measured programs made for themselves."""
        there = set(listed(self._admin, _SECONDS).topics)
        gone = {name for name in there if name.startswith(("samspil.", PREFIX)) and not name.startswith(KEPT)}
        if gone:
            for deleted in self._admin.delete_topics(sorted(gone), operation_timeout=_SECONDS).values():
                require_deleted(deleted)
            _until(lambda: not gone & set(self._admin.list_topics(timeout=_SECONDS).topics), lambda: None)
        users = {name: self._kafka.passwords[name] for name in (*rights.SERVICES, *self.parties)}
        wanted = topics_admin.Wanted(topics.catalogue(self.parties), rights.rights(self.parties), users)
        topics_admin.apply(self.access(), wanted)
        _until(self._led, lambda: None)

    def _led(self) -> bool:
        """Whether every partition has a leader: a topic made anew has none for a moment."""
        found = self._admin.list_topics(timeout=_SECONDS).topics.values()
        return all(partition.leader >= 0 for topic in found for partition in topic.partitions.values())

    def make(self, name: str, partitions: int = topics.PARTITIONS) -> str:
        """Make a topic beside the bus's, stamped by the broker as those are."""
        settings = {"message.timestamp.type": "LogAppendTime"}
        for made in self._admin.create_topics([NewTopic(PREFIX + name, partitions, 1, config=settings)]).values():
            made.result()
        return PREFIX + name

    def ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return where these end for a reader of committed records."""
        return _ends(self._watcher, places)

    def settled_ends(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the same once no transaction is open in them: offsets may be committed before the markers are there.

        What a killed program has left open is not waited for.
        """
        at, deadline = tuple(places), time.monotonic() + _SETTLED
        while (found := self.ends(at)) != _ends(self._foreseer, at) and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return found

    def committed(self, group: str, places: Iterable[Place]) -> dict[Place, int]:
        """Return how far a group is; nothing while its coordinator does not answer."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(*place) for place in places])
        told = self._admin.list_consumer_group_offsets([asked], request_timeout=_ANSWER)[group]
        try:
            found = told.result().topic_partitions or []
        except KafkaException:
            return {}
        return {(at.topic, at.partition): max(at.offset, 0) for at in found}

    def wait_consumed(self, group: str, ends: Mapping[Place, int], look: Callable[[], None]) -> None:
        """Wait until a group has committed all of this. `look` raises when there is nothing to wait for."""

        def consumed() -> bool:
            done = self.committed(group, ends)
            return all(done.get(place, 0) >= end for place, end in ends.items())

        _until(consumed, look)

    def wait_quiet(self, places: Iterable[Place], look: Callable[[], None]) -> None:
        """Wait until nothing was written for a while: markers at a topic's end are never committed by who reads it."""
        at = tuple(places)
        last, since = self.ends(at), time.monotonic()

        def quiet() -> bool:
            nonlocal last, since
            if (now := self.ends(at)) != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since > _QUIET

        _until(quiet, look)

    def wait_written(self, places: Iterable[Place], records: int, look: Callable[[], None]) -> None:
        """Wait until so many offsets were written."""
        at = tuple(places)
        _until(lambda: sum(self.ends(at).values()) >= records, look)


def _ends(consumer: Consumer, places: Iterable[Place]) -> dict[Place, int]:
    # One by one: librdkafka's one request for all ends the process where a leader has just moved.
    return {place: consumer.get_watermark_offsets(TopicPartition(*place), _SECONDS)[1] for place in places}


def places(topic: str) -> tuple[Place, ...]:
    return tuple((topic, partition) for partition in range(topics.partitions(topic)))


@contextmanager
def running(cache: Path, parties: Iterable[str], say: Callable[[str], None]) -> Iterator[Broker]:
    """Run a broker in a temporary home, and remove all of it afterwards."""
    folder = jars.ensure(cache, say)
    everyone = sorted(parties)
    home = Path(tempfile.mkdtemp(prefix="samspil-bench-"))
    children = Children()
    try:
        chosen = ports.choose(["kafka", "controller"], {})
        passwords = credentials.ensure(home / "credentials.json", [*rights.SERVICES, *everyone])
        kafka = Kafka(home, folder, chosen["kafka"], chosen["controller"], passwords)
        kafka.launch(children).wait_ready(kafka.answers, READY_SECONDS)
        yield Broker(kafka, children, home, everyone)
    finally:
        children.close()
        shutil.rmtree(home, ignore_errors=True)


def _until(condition: Callable[[], bool], look: Callable[[], None]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        look()
        if time.monotonic() > deadline:
            raise UnreachableError(f"Kafka's topics: what was begun did not end within {_PATIENCE:.0f} s.")
        time.sleep(_LOOK)


def require_deleted(deleted: Future[None]) -> None:
    """Wait for a topic's deletion; one that is not there is deleted."""
    try:
        deleted.result()
    except KafkaException as failed:
        if failed.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
