"""Reading a run's topics whole, with a client of its own: assigned by hand, read_committed, to the end.

Called when nothing writes any more. A transaction that a killed worker left open hides what comes after it until
the broker gives it up; so the reader waits until the last stable offset is the end.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
from confluent_kafka import Consumer, IsolationLevel, KafkaError, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from deploy.kafka_access import KafkaAccess
from schemas import outputs, topics
from schemas.records import Inbound
from tests.chaos.found import Found, Records
from tests.chaos.verdict_table import word
from tests.waiting import eventually_sync

_SETTLE_SECONDS = 60.0
_READ_SECONDS = 180.0
_VERDICTS = "SELECT party, id::text AS id, verdict::text AS verdict FROM gateway.verdicts"

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Place = tuple[str, int]
Verdicts = Mapping[tuple[str, str], frozenset[str]]


def read(access: KafkaAccess, parties: Sequence[str], verdicts: Verdicts) -> Found:
    """Return everything that the bus wrote."""
    refusals, views = [*map(topics.refusals, parties)], [*map(topics.views, parties)]
    every = records(access, [topics.LOG, *refusals, topics.DEAD, *views, topics.LEDGER, topics.CASES])

    def of(*names: str) -> Records:
        return tuple(record for record in every if record.topic in names)

    return Found(
        log=of(topics.LOG),
        refusals=of(*refusals),
        dead=of(topics.DEAD),
        views=of(*views),
        ledger=of(topics.LEDGER),
        cases=of(topics.CASES),
        verdicts=verdicts,
    )


def records(access: KafkaAccess, names: Iterable[str]) -> Records:
    """Return every committed record of these topics, partition by partition."""
    places = [(name, partition) for name in names for partition in range(topics.partitions(name))]
    ends = eventually_sync(lambda: _settled(access, places), _SETTLE_SECONDS) or {}
    consumer = Consumer(settings(access) | {"enable.partition.eof": True})
    found: dict[Place, list[Inbound]] = defaultdict(list)
    try:
        consumer.assign([TopicPartition(*place, 0) for place in places])
        left = {place for place in places if ends[place]}

        def read_some() -> bool:
            for message in consumer.consume(1_000, 0.5):
                if (error := message.error()) is None:
                    record = inbound(message)
                    if not is_mark(record):
                        found[record.topic, record.partition].append(record)
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(_reached(message, ends))
            return not left

        eventually_sync(read_some, _READ_SECONDS)
    finally:
        consumer.close()
    return tuple(record for place in sorted(found) for record in found[place])


def is_mark(record: Inbound) -> bool:
    """Whether a record says nothing, and only closes a file, as the bus writes every six hours."""
    return (record.key, record.value, record.headers) == (outputs.MARK, None, ())


def _reached(message: Message, ends: Mapping[Place, int]) -> Place:
    """Return the partition whose end a message tells, once it is the end that was asked for."""
    place = (message.topic() or "", message.partition() or 0)
    return place if (message.offset() or 0) >= ends[place] else ("", 0)


def settings(access: KafkaAccess) -> dict[str, object]:
    return {
        **access.librdkafka(),
        "group.id": "chaos",  # the client asks for one; nothing is committed
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        # A broker that was frozen knows no leaders for a moment; by itself the client asks again after five minutes.
        "topic.metadata.refresh.interval.ms": 5_000,
    }


def _settled(access: KafkaAccess, places: Sequence[Place]) -> dict[Place, int] | None:
    """Return the ends, once no open transaction hides anything before them."""
    committed = _ends(access, places, IsolationLevel.READ_COMMITTED)
    return committed if committed == _ends(access, places, IsolationLevel.READ_UNCOMMITTED) else None


def _ends(access: KafkaAccess, places: Sequence[Place], level: IsolationLevel) -> dict[Place, int]:
    asked = {TopicPartition(*place): _LATEST for place in places}
    admin = access.admin()  # held until it has answered
    told = admin.list_offsets(asked, isolation_level=level, request_timeout=20)
    return {(place.topic, place.partition): answer.result().offset for place, answer in told.items()}


def inbound(message: Message) -> Inbound:
    said: Any = message  # its types allow for messages that are errors
    headers = tuple((name, raw or b"") for name, raw in said.headers() or ())
    return Inbound(said.topic(), said.partition(), said.offset(), said.key(), said.value(), headers)


async def verdicts(dsn: str) -> Verdicts:
    """Return what the verdict table tells, in words."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_VERDICTS)
    finally:
        await connection.close()
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        told[row["party"], row["id"]].add(word(json.loads(row["verdict"])))
    return {key: frozenset(words) for key, words in told.items()}
