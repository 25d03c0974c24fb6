"""The embedded broker lets nobody in but who it knows, and holds what the catalogue says."""

import dataclasses

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from deploy import topics_admin
from deploy.kafka_access import KafkaAccess, answers
from schemas import topics
from schemas.errors import MisconfiguredError, TopicMismatchError
from tests import brokers
from tests.brokers import RunningKafka
from tests.waiting import eventually_sync

UNCLEAN = "unclean.leader.election.enable"


def test_every_principal_signs_in(kafka: RunningKafka) -> None:
    silent = [name for name in kafka.passwords if not answers(kafka.access(name))]
    assert silent == []


def test_a_wrong_password_is_refused(kafka: RunningKafka) -> None:
    assert not answers(KafkaAccess(kafka.bootstrap, "worker", "wrong"))
    assert not answers(KafkaAccess(kafka.bootstrap, "nobody", "wrong"))


@pytest.mark.parametrize("port", ["port", "controller_port"])
def test_neither_listener_answers_without_a_name(kafka: RunningKafka, port: str) -> None:
    address = f"127.0.0.1:{getattr(kafka.kafka, port)}"
    anonymous = AdminClient({"bootstrap.servers": address, "log_level": 0})
    with pytest.raises(KafkaException):
        anonymous.list_topics(timeout=2)


def test_a_second_apply_changes_nothing(kafka: RunningKafka) -> None:
    assert kafka.apply() == topics_admin.Changes(0, 0, 0, 0)


def test_topics_have_the_catalogues_shape(kafka: RunningKafka) -> None:
    topics_admin.require_shape(kafka.access(), topics.catalogue(brokers.parties()))


def test_another_number_of_partitions_is_refused(kafka: RunningKafka) -> None:
    wanted = brokers.wanted(kafka.passwords)
    grown = tuple(dataclasses.replace(topic, partitions=topic.partitions + 1) for topic in wanted.topics)
    with pytest.raises(TopicMismatchError, match="fixed for ever"):
        topics_admin.apply(kafka.access(), dataclasses.replace(wanted, topics=grown))


def test_a_broker_that_may_lose_records_is_refused(kafka: RunningKafka) -> None:
    _set(kafka, ConfigEntry(UNCLEAN, "true", incremental_operation=AlterConfigOpType.SET))
    try:
        refused = eventually_sync(lambda: _refusal(kafka))
    finally:
        _set(kafka, ConfigEntry(UNCLEAN, None, incremental_operation=AlterConfigOpType.DELETE))
    assert refused.endswith(f"{UNCLEAN} must be false at broker 1.")
    eventually_sync(lambda: not _refusal(kafka))
    assert kafka.apply() == topics_admin.Changes(0, 0, 0, 0)


def _set(kafka: RunningKafka, entry: ConfigEntry) -> None:
    changes = [ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[entry])]
    admin = kafka.access().admin()
    for answer in admin.incremental_alter_configs(changes).values():
        answer.result()


def _refusal(kafka: RunningKafka) -> str:
    try:
        kafka.apply()
    except MisconfiguredError as refused:
        return str(refused)
    return ""


def test_settings_and_rights_return_to_the_catalogues(kafka: RunningKafka) -> None:
    wanted = brokers.wanted(kafka.passwords)
    other = dataclasses.replace(wanted.topics[0], settings=(("retention.ms", "1000"),))
    changed = dataclasses.replace(wanted, topics=(other, *wanted.topics[1:]), rights=wanted.rights[1:])
    assert topics_admin.apply(kafka.access(), changed) == topics_admin.Changes(0, 1, 0, 1)
    assert kafka.apply() == topics_admin.Changes(0, 1, 1, 0)
