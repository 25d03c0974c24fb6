"""Kafka made to clear what was erased at once, for as long as an erasure takes.

Standing, a topic's files are closed every six hours and cleared after a day. For the while each file is closed as soon
as something more is written, closed files are compacted at once, and tombstones go with what they buried. Only settings
of the catalogue are touched, so that `samspil topics apply` brings back what an interrupted erasure left behind.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from deploy.kafka_access import KafkaAccess
from schemas.errors import UnreachableError
from schemas.rights import WORKER_GROUP
from schemas.topics import ADMITTED, Topic

_SECONDS = 30
HASTE: Mapping[str, str] = {
    "segment.ms": "1",
    "file.delete.delay.ms": "0",
    "max.compaction.lag.ms": "1",
    "delete.retention.ms": "0",
    "min.cleanable.dirty.ratio": "0.0001",
}


@asynccontextmanager
async def haste(access: KafkaAccess, topics: Iterable[Topic]) -> AsyncIterator[None]:
    """Hurry these topics; afterwards they are as the catalogue says. Raises UnreachableError."""
    hurried = [topic for topic in topics if "segment.ms" in dict(topic.settings)]
    admin = access.admin()
    hurrying = asyncio.ensure_future(asyncio.to_thread(alter, admin, hurried, HASTE))
    try:
        await asyncio.shield(hurrying)
        yield
    finally:
        # Whoever interrupts this does not interrupt the thread: its word must not come after the last one.
        await asyncio.wait([hurrying])
        await asyncio.to_thread(alter, admin, hurried, None)


async def cut_admitted(access: KafkaAccess, partition: int) -> None:
    """Remove every admitted event of a partition that is judged: its log has what was accepted."""
    await asyncio.to_thread(_cut, access.admin(), partition)


def alter(admin: AdminClient, topics: Iterable[Topic], wanted: Mapping[str, str] | None) -> None:
    """Set what haste needs, or (None) what the catalogue says. Raises UnreachableError."""
    changed = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(
                    name, value if wanted is None else wanted[name], incremental_operation=AlterConfigOpType.SET
                )
                for name, value in topic.settings
                if name in HASTE
            ],
        )
        for topic in topics
    ]
    try:
        for future in admin.incremental_alter_configs(changed, request_timeout=_SECONDS).values():
            future.result()
    except KafkaException as failed:
        raise UnreachableError(f"Kafka answered {failed.args[0].name()} to the topics' settings.") from None


def _cut(admin: AdminClient, partition: int) -> None:
    place = TopicPartition(ADMITTED, partition)
    try:
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(WORKER_GROUP, [place])])
        [judged] = asked[WORKER_GROUP].result(_SECONDS).topic_partitions
        if judged.error is None and judged.offset > 0:
            for future in admin.delete_records([judged], request_timeout=_SECONDS).values():
                future.result()
    except KafkaException as failed:
        raise UnreachableError(f"Kafka answered {failed.args[0].name()} to the cut of {ADMITTED}.") from None
