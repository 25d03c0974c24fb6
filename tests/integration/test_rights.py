"""Default deny on the real broker: what no right allows is tried, all of it, and fails.

librdkafka asks, since it reports an error per topic: one consumer and one producer a principal try
everything that must fail at once.
"""

import itertools
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import GroupAuthorizationFailedError
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from schemas import rights, topics
from tests.brokers import RunningKafka, parties

PRINCIPALS = (*rights.SERVICES, *parties())
TOPICS = tuple(topic.name for topic in topics.catalogue(parties()))
ALLOWED = {(r.principal, r.name, r.operation) for r in rights.rights(parties()) if r.kind == "TOPIC"}
SECONDS = 30


def forbidden(principal: str, operation: str) -> set[str]:
    return {topic for topic in TOPICS if (principal, topic, operation) not in ALLOWED}


def _until(deadline: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_what_may_not_be_read_cannot_be(kafka: RunningKafka, principal: str) -> None:
    denied: set[str] = set()
    consumer = Consumer({**kafka.access(principal).librdkafka(), "group.id": "unused", "enable.auto.commit": False})
    try:
        # READ implies DESCRIBE, so a topic that the broker does not even show cannot be read
        wanted = forbidden(principal, "READ") & set(consumer.list_topics(timeout=SECONDS).topics)
        consumer.assign([TopicPartition(topic, 0, 0) for topic in wanted])
        for _ in _until(time.monotonic() + SECONDS):
            if denied == wanted:
                break
            for message in consumer.consume(num_messages=500, timeout=0.2):
                error = message.error()
                assert error is not None, f"{principal} read {message.topic()}"
                if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                    denied.add(str(message.topic()))
    finally:
        consumer.close()
    assert denied == wanted


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_what_may_not_be_written_cannot_be(kafka: RunningKafka, principal: str) -> None:
    outcomes: dict[str, KafkaError | None] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        outcomes[str(message.topic())] = error

    wanted = forbidden(principal, "WRITE")
    producer = Producer({**kafka.access(principal).librdkafka(), "message.timeout.ms": SECONDS * 1000})
    for topic in wanted:
        producer.produce(topic, b"x", partition=0, on_delivery=delivered)
    producer.flush(SECONDS)
    assert set(outcomes) == wanted
    assert {topic for topic, error in outcomes.items() if not _denied(error)} == set()


@pytest.mark.parametrize("party", parties())
def test_a_party_can_do_its_own(kafka: RunningKafka, party: str) -> None:
    """The sample that must work: say something, read what it is told."""
    outcomes: list[KafkaError | None] = []
    producer = Producer(kafka.access(party).librdkafka())
    producer.produce(topics.inbox(party), b"{}", partition=0, on_delivery=lambda error, _: outcomes.append(error))
    producer.flush(SECONDS)
    assert outcomes == [None]
    group = f"samspil.party.{party}.test"
    consumer = Consumer({**kafka.access(party).librdkafka(), "group.id": group, "enable.auto.commit": False})
    try:
        own = [TopicPartition(topics.views(party), 0), TopicPartition(topics.refusals(party), 0)]
        consumer.assign(own)
        assert not [m for m in consumer.consume(num_messages=1, timeout=0.2) if _denied(m.error())]
        consumer.commit(offsets=[TopicPartition(topics.views(party), 0, 0)], asynchronous=False)
    finally:
        consumer.close()


@pytest.mark.parametrize(
    ("principal", "group"),
    [("buf", "samspil.party.sof.mine"), ("buf", "samspil.worker"), ("gateway", "samspil.worker")],
)
async def test_no_foreign_group(kafka: RunningKafka, principal: str, group: str) -> None:
    """Asked by aiokafka: librdkafka goes on looking for the coordinator that it may not see."""
    consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **kafka.access(principal).aiokafka())
    own = KafkaPartition(topics.views("buf"), 0)
    try:
        await consumer.start()
        consumer.assign([own])
        with pytest.raises(GroupAuthorizationFailedError):
            await consumer.committed(own)
    finally:
        await consumer.stop()


@pytest.mark.parametrize("principal", ["buf", "gateway", "audit"])
def test_no_foreign_transaction(kafka: RunningKafka, principal: str) -> None:
    """A party that could take a worker's transactional id would fence the worker out."""
    settings = {**kafka.access(principal).librdkafka(), "transactional.id": rights.WORKER_TRANSACTIONS + "x"}
    with pytest.raises(KafkaException) as failed:
        Producer(settings).init_transactions(SECONDS)
    assert failed.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nobody_but_admin_administers(kafka: RunningKafka, principal: str) -> None:
    """No topic made, deleted, reconfigured or, but for the worker's inboxes, truncated."""
    admin = kafka.access(principal).admin()
    shorter = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    foreign = forbidden(principal, "DELETE") & set(admin.list_topics(timeout=SECONDS).topics)
    assert foreign
    tries = itertools.chain(
        admin.create_topics([NewTopic("samspil.inbox.evil.v1", 1, 1)]).values(),
        admin.delete_topics([topics.LOG]).values(),
        admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, topics.LEDGER, incremental_configs=[shorter])]
        ).values(),
        admin.delete_records([TopicPartition(topic, 0, 0) for topic in foreign]).values(),
    )
    for attempt in tries:
        with pytest.raises(KafkaException) as failed:
            attempt.result(SECONDS)
        assert failed.value.args[0].code() in {
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        }


def _denied(error: KafkaError | None) -> bool:
    return error is not None and error.code() in {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
