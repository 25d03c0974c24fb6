"""Topics, rights and users applied to a broker, so that it holds what the catalogue says. A second run is harmless.

Of the bus's own principals, rights that the catalogue does not give are taken away. Topics, users and settings
that it does not name are left as they are.
confluent-kafka does it, since aiokafka's admin client knows neither users nor rights.
A topic's number of partitions is never changed: it decides where a case lives. Nor is the number of its copies,
which is Kafka's own tool's work; how many of them must stand for an acknowledgement follows from it.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from deploy import broker_settings
from deploy.kafka_access import KafkaAccess, in_sync, listed
from schemas.errors import TopicMismatchError, UnreachableError
from schemas.rights import Right
from schemas.topics import Topic

_SECONDS = 60
_ITERATIONS = 4096  # Kafka's least; the passwords are random, so more rounds guard nothing
_OURS = "samspil."
_ANY: Any = None  # what a filter does not ask for; the library's types know no such thing
_EVERYTHING = AclBindingFilter(
    ResourceType.ANY, _ANY, ResourcePatternType.ANY, _ANY, _ANY, AclOperation.ANY, AclPermissionType.ANY
)


@dataclass(frozen=True, slots=True)
class Changes:
    """How much one run had to change; a second run changes nothing but passwords."""

    created: int
    altered: int
    granted: int
    revoked: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a broker should hold. Users: name and password of every principal to set."""

    topics: tuple[Topic, ...]
    rights: tuple[Right, ...]
    users: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What cannot be changed about a topic that stands."""

    partitions: int
    copies: int  # the least of any partition


def apply(access: KafkaAccess, wanted: Wanted, replication: int = 1) -> Changes:
    """Bring the broker to what is wanted.

    Refuses, before it changes anything, a broker whose settings would lose something, and a topic of another shape.
    """
    admin = access.admin()
    try:
        broker_settings.require(admin, replication, _SECONDS)
        existing = _shapes(admin)
        _require_same_shape(wanted.topics, existing, replication)
        new = [topic for topic in wanted.topics if topic.name not in existing]
        created = _create(admin, [(topic, replication) for topic in new])
        old = [topic for topic in wanted.topics if topic.name in existing]
        altered = _alter(admin, [(topic, existing[topic.name].copies) for topic in old])
        _set_passwords(admin, wanted.users)
        granted, revoked = _set_rights(admin, wanted.rights, wanted.users)
    except KafkaException as failed:
        error: KafkaError = failed.args[0]
        raise UnreachableError(f"Kafka at {access.bootstrap} answered {error.name()}.") from failed
    return Changes(created, altered, granted, revoked)


def require_shape(access: KafkaAccess, topics: Iterable[Topic], replication: int = 1) -> None:
    """A service's check at start: every topic is there, with the catalogue's number of partitions, copied enough."""
    try:
        existing = _shapes(access.admin())
    except KafkaException as failed:
        raise UnreachableError(f"Kafka at {access.bootstrap}.") from failed
    wanted = tuple(topics)
    missing = [topic.name for topic in wanted if topic.name not in existing]
    if missing:
        raise TopicMismatchError(f"{missing[0]} is missing; run: samspil topics apply")
    _require_same_shape(wanted, existing, replication)


def _shapes(admin: AdminClient) -> dict[str, _Shape]:
    topics = listed(admin, _SECONDS).topics
    return {
        name: _Shape(len(topic.partitions), min((len(p.replicas) for p in topic.partitions.values()), default=0))
        for name, topic in topics.items()
        if name.startswith(_OURS)
    }


def _require_same_shape(topics: Iterable[Topic], existing: Mapping[str, _Shape], replication: int) -> None:
    for topic in topics:
        if (found := existing.get(topic.name)) is None:
            continue
        if found.partitions != topic.partitions:
            raise TopicMismatchError(
                f"{topic.name} has {found.partitions} partitions, the catalogue says {topic.partitions}. "
                "The number is fixed for ever: copy to a topic of the next version instead."
            )
        if found.copies < replication:
            raise TopicMismatchError(
                f"{topic.name} has copies: {found.copies}, SAMSPIL_REPLICATION says {replication}. "
                "Kafka's own kafka-reassign-partitions makes more, then run: samspil topics apply"
            )


def _settings(topic: Topic, copies: int) -> dict[str, str]:
    """Return the catalogue's, and how many copies must stand before a record is acknowledged."""
    return {**dict(topic.settings), "min.insync.replicas": str(in_sync(copies))}


def _create(admin: AdminClient, topics: Iterable[tuple[Topic, int]]) -> int:
    new = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=copies,
            config=_settings(topic, copies),
        )
        for topic, copies in topics
    ]
    if not new:
        return 0
    for name, future in admin.create_topics(new, operation_timeout=_SECONDS, request_timeout=_SECONDS).items():
        try:
            future.result()
        except KafkaException as failed:
            # Two starters at once: the other one made it, from the same catalogue.
            if failed.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicMismatchError(f"{name} could not be created.") from failed
    return len(new)


def _alter(admin: AdminClient, topics: Iterable[tuple[Topic, int]]) -> int:
    asked = {topic.name: ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic, _ in topics}
    if not asked:
        return 0
    described = admin.describe_configs(list(asked.values()), request_timeout=_SECONDS)
    changed = []
    for topic, copies in topics:
        found = described[asked[topic.name]].result()
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in _settings(topic, copies).items()
            if name not in found or found[name].value != value
        ]
        if entries:
            changed.append(ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=entries))
    if changed:
        for future in admin.incremental_alter_configs(changed, request_timeout=_SECONDS).values():
            future.result()
    return len(changed)


def _set_passwords(admin: AdminClient, users: Mapping[str, str]) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, _ITERATIONS)
    wanted: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(name, info, password.encode()) for name, password in sorted(users.items())
    ]
    if wanted:
        for future in admin.alter_user_scram_credentials(wanted, request_timeout=_SECONDS).values():
            future.result()


def _set_rights(admin: AdminClient, rights: Iterable[Right], users: Iterable[str]) -> tuple[int, int]:
    wanted = {_binding(right) for right in rights}
    ours = {f"User:{name}" for name in users} | {binding.principal for binding in wanted}
    found = _found_rights(admin, ours)
    missing, surplus = sorted(wanted - found), sorted(found - wanted)
    if missing:
        for created in admin.create_acls(missing, request_timeout=_SECONDS).values():
            created.result()
    if surplus:
        for deleted in admin.delete_acls([_only(one) for one in surplus], request_timeout=_SECONDS).values():
            deleted.result()
    _await_rights(admin, ours, wanted)
    return len(missing), len(surplus)


def _await_rights(admin: AdminClient, ours: set[str], wanted: set[AclBinding]) -> None:
    # The controller has accepted them; a broker that has just started enforces them up to two seconds later.
    # Rights are written last, so once they are seen, topics and passwords are in force too.
    deadline = time.monotonic() + _SECONDS
    while _found_rights(admin, ours) != wanted:
        if time.monotonic() > deadline:
            raise UnreachableError("Kafka accepted the rights, but does not enforce them.")
        time.sleep(0.1)


def _found_rights(admin: AdminClient, ours: set[str]) -> set[AclBinding]:
    found = admin.describe_acls(_EVERYTHING, request_timeout=_SECONDS).result()
    return {binding for binding in found if binding.principal in ours}


def _binding(right: Right) -> AclBinding:
    # Kafka calls the one cluster "kafka-cluster"; librdkafka calls the kind of resource BROKER.
    cluster = right.kind == "CLUSTER"
    return AclBinding(
        ResourceType.BROKER if cluster else ResourceType[right.kind],
        "kafka-cluster" if cluster else right.name,
        ResourcePatternType[right.pattern],
        f"User:{right.principal}",
        "*",
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _only(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
