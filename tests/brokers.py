"""The real Kafka and PostgreSQL of a test session, and how to empty them between tests that count.

One broker and one database server per session: starting them costs seconds, and the topics are the
catalogue's own, so a test that needs them empty asks for `reset()`.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import yaml
from confluent_kafka import KafkaError, KafkaException

from deploy import topics_admin
from deploy.embedded import credentials, jars, ports
from deploy.embedded.kafka import Kafka
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import Child, Children
from deploy.kafka_access import KafkaAccess
from schemas import rights, topics

POLICIES = Path(__file__).parent.parent / "deploy" / "policies"
CACHE = Path.home() / ".cache" / "samspil"
READY_SECONDS = 90
QUICK = ("-XX:TieredStopAtLevel=1",)  # half the time to start; its lower top speed is no test's matter


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
        for deleted in admin.delete_topics(names, operation_timeout=30).values():
            _ignoring_unknown(deleted)
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


def start_kafka(home: Path) -> RunningKafka:
    folder = jars.ensure(CACHE, print)
    chosen = ports.choose(["kafka", "controller"], {})
    kafka = Kafka(home, folder, chosen["kafka"], chosen["controller"], passwords(home), QUICK)
    children = Children()
    running = RunningKafka(kafka, children, started(kafka, children))
    running.apply()
    return running


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


def _ignoring_unknown(deleted: Future[None]) -> None:
    try:
        deleted.result()
    except KafkaException as failed:
        if failed.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
