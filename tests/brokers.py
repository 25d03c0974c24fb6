"""The real Kafka and PostgreSQL of a test session, and how to empty them between tests that count.

One broker and one database server per session: starting them costs seconds, and the topics are the
catalogue's own, so a test that needs them empty asks for `reset()`. A cluster of several brokers is for a test of
its own.
"""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from confluent_kafka import KafkaException

from deploy import topics_admin
from deploy.bench.broker import require_deleted
from deploy.embedded import credentials, jars, ports
from deploy.embedded.kafka import Kafka
from deploy.embedded.kafka_cluster import Cluster, Node, new_id
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import Child, Children
from deploy.kafka_access import KafkaAccess, listed
from schemas import rights, topics

POLICIES = Path(__file__).parent.parent / "deploy" / "policies"
CACHE = Path.home() / ".cache" / "samspil"
READY_SECONDS = 90
QUICK = ("-XX:TieredStopAtLevel=1",)  # half the time to start; its lower top speed is no test's matter
_SMALL = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC")  # several on one machine
DEAD_SOON = {
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
}  # not after 9 s, in which it is not let in again


class Running(Protocol):
    """What a client needs of what runs, one broker or several."""

    @property
    def bootstrap(self) -> str: ...

    def access(self, principal: str = "admin") -> KafkaAccess: ...


def parties() -> tuple[str, ...]:
    """The parties of the newest contract."""
    newest = max(POLICIES.iterdir())
    return tuple(yaml.safe_load((newest / "parties.yaml").read_text())["parties"])


def passwords(home: Path) -> Mapping[str, str]:
    return credentials.ensure(home / "credentials.json", [*rights.SERVICES, *parties()])


@dataclass
class RunningKafka:
    """A started broker that holds the catalogue's topics, rights and users."""

    kafka: Kafka
    children: Children
    child: Child

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    @property
    def passwords(self) -> Mapping[str, str]:
        return self.kafka.passwords

    def access(self, principal: str = "admin") -> KafkaAccess:
        return self.kafka.access(principal)

    def apply(self) -> topics_admin.Changes:
        return topics_admin.apply(self.access(), wanted(self.kafka.passwords))

    def reset(self) -> None:
        """Every topic of the catalogue anew and empty; committed offsets go with their topics."""
        admin = self.access().admin()
        names = [topic.name for topic in topics.catalogue(parties())]
        listed(admin, READY_SECONDS)
        for deleted in admin.delete_topics(names, operation_timeout=30).values():
            require_deleted(deleted)
        deadline = time.monotonic() + 30
        while set(names) & set(admin.list_topics(timeout=10).topics):
            assert time.monotonic() < deadline, "topics were not deleted"
            time.sleep(0.05)
        self.apply()

    def kill(self) -> None:
        """As a crash would."""
        self.child.kill()

    def restart(self) -> None:
        self.child = started(self.kafka, self.children)


@dataclass
class RunningCluster:
    """Several started brokers, each broker and controller, that hold the catalogue's topics in three copies."""

    nodes: Mapping[int, Kafka]
    children: Children
    running: dict[int, Child]
    copies: int

    @property
    def bootstrap(self) -> str:
        return self.nodes[1].bootstrap

    @property
    def passwords(self) -> Mapping[str, str]:
        return self.nodes[1].passwords

    def access(self, principal: str = "admin") -> KafkaAccess:
        return self.nodes[1].access(principal)

    def apply(self) -> topics_admin.Changes:
        return topics_admin.apply(self.access(), wanted(self.passwords), self.copies)

    def kill(self, node: int) -> None:
        """As a crash would."""
        self.running.pop(node).kill()

    def restart(self, node: int) -> None:
        """Start a killed one again; returns when it answers."""
        self.running[node] = started(self.nodes[node], self.children)

    def lose_disk(self, node: int) -> None:
        """As if a killed one's disk had died with it: it starts with nothing, and learns all from the others."""
        shutil.rmtree(self.nodes[node].home / "kafka")

    def pause(self, node: int) -> None:
        """Freeze it: its connections stay open and silent."""
        os.kill(self.running[node].pid, signal.SIGSTOP)

    def resume(self, node: int) -> None:
        os.kill(self.running[node].pid, signal.SIGCONT)

    def leader_of(self, topic: str, partition: int = 0) -> int:
        """The node that leads it; -1 while none does."""
        return int(self.access().admin().list_topics(topic, timeout=10).topics[topic].partitions[partition].leader)

    async def coordinator_of(self, group: str) -> int:
        """The node that keeps a group's members and offsets; -1 while none does."""
        return await self._coordinator(group, 0)

    async def writer_of(self, transactional_id: str) -> int:
        """The node that keeps this id's transactions; -1 while none does."""
        return await self._coordinator(transactional_id, 1)

    def whole(self) -> bool:
        """Whether every copy of every partition stands, Kafka's own topics included.

        By the word of each node: one that was away and has just come back still tells what it knew before.
        """
        return all(map(self._whole_by, self.nodes.values()))

    def close(self) -> None:
        """Stop all at once: in order, the last ones would wait for a majority that has gone."""
        for node in tuple(self.running):
            self.kill(node)
        self.children.close()

    def _whole_by(self, node: Kafka) -> bool:
        access = replace(self.access(), bootstrap=f"{ports.HOST}:{node.port}")
        try:
            found = access.admin().list_topics(timeout=10).topics.values()
        except KafkaException:
            return False
        return all(
            partition.leader != -1 and len(partition.isrs) == len(partition.replicas) == self.copies
            for topic in found
            for partition in topic.partitions.values()
        )

    async def _coordinator(self, name: str, kind: int) -> int:
        admin = AIOKafkaAdminClient(**self.access().aiokafka())
        await admin.start()
        try:
            return int(await admin.find_coordinator(name, kind))
        except GroupCoordinatorNotAvailableError:
            return -1  # asking made the topic that it keeps them in
        finally:
            await admin.close()


@dataclass
class RunningPostgres:
    """A started PostgreSQL with the database samspil."""

    postgres: Postgres
    children: Children
    child: Child

    def dsn(self, role: str = "admin", database: str = "samspil") -> str:
        return self.postgres.dsn(role, database)

    @property
    def passwords(self) -> Mapping[str, str]:
        return self.postgres.passwords


def wanted(users: Mapping[str, str]) -> topics_admin.Wanted:
    everyone = parties()
    return topics_admin.Wanted(topics.catalogue(everyone), rights.rights(everyone), users)


def start_kafka(home: Path, settings: Mapping[str, object] = MappingProxyType({})) -> RunningKafka:
    folder = jars.ensure(CACHE, print)
    chosen = ports.choose(["kafka", "controller"], {})
    kafka = Kafka(home, folder, chosen["kafka"], chosen["controller"], passwords(home), QUICK, settings=settings)
    children = Children()
    running = RunningKafka(kafka, children, started(kafka, children))
    running.apply()
    return running


def start_cluster(home: Path, nodes: int = 3) -> RunningCluster:
    """As many brokers, each in a folder of its own. They need each other to start, so they do it together."""
    folder = jars.ensure(CACHE, print)
    names = [f"{kind}-{number}" for number in range(1, nodes + 1) for kind in ("kafka", "controller")]
    chosen, users = ports.choose(names, {}), passwords(home)
    members = tuple(Node(n, chosen[f"kafka-{n}"], chosen[f"controller-{n}"]) for n in range(1, nodes + 1))
    cluster = Cluster(new_id(), members)
    kafkas = {node.number: _member(home / f"node-{node.number}", folder, users, node, cluster) for node in members}
    children = Children()
    try:
        with ThreadPoolExecutor(nodes) as pool:
            launched = pool.map(lambda one: started(one, children), kafkas.values())
        running = RunningCluster(kafkas, children, dict(zip(kafkas, launched, strict=True)), cluster.copies)
        running.apply()
    except BaseException:
        children.close()
        raise
    return running


def _member(home: Path, folder: Path, users: Mapping[str, str], node: Node, cluster: Cluster) -> Kafka:
    home.mkdir(parents=True)
    flags = (*QUICK, *_SMALL)
    return Kafka(home, folder, node.port, node.controller_port, users, flags, node.number, cluster, DEAD_SOON)


def start_postgres(home: Path) -> RunningPostgres:
    postgres = Postgres(home, ports.choose(["postgres"], {})["postgres"], passwords(home))
    children = Children()
    return RunningPostgres(postgres, children, started(postgres, children))


def started(service: Kafka | Postgres, children: Children) -> Child:
    """Launch it and wait until it answers; a failure shows the end of its log and leaves nothing behind."""
    child = service.launch(children)
    try:
        child.wait_ready(service.answers, READY_SECONDS)
    except BaseException:
        child.kill()
        raise
    return child
