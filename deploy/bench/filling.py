"""Writing many records before anything is measured, in large batches, and reading back when the broker took each.

By another client library than the measured programs use.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from deploy.bench.broker import Broker, Place
from deploy.kafka_access import KafkaAccess
from schemas.errors import UnreachableError
from schemas.records import Outbound

_BATCH_BYTES = 512 * 1024
_SOME = 50_000  # records that wait in memory at once
_READ = 10_000
_WAIT = 0.1
_PATIENCE = 60.0
_INBOX_OFFSET = "ce_inboxoffset"  # of events that came by an inbox


def fill(access: KafkaAccess, records: Iterable[Outbound]) -> int:
    """Write records, each partition in its order; return how many. Raises KafkaException."""
    producer = Producer(
        {
            **access.librdkafka(),
            "enable.idempotence": True,
            "linger.ms": 50,
            "batch.size": _BATCH_BYTES,
            "queue.buffering.max.messages": _SOME,
        }
    )
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    total = 0
    for record in records:
        total += 1
        headers: Any = list(record.headers)  # narrower than the library's stubs will have it
        while True:
            try:
                producer.produce(
                    record.topic, record.value, record.key, record.partition, on_delivery=delivered, headers=headers
                )
                break
            except BufferError:
                producer.poll(_WAIT)
        producer.poll(0)
    producer.flush(_PATIENCE)
    if failed or len(producer):
        raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its name
    return total


def stamps(broker: Broker, begins: Mapping[Place, int], *, sent_alone: bool = False) -> list[int]:
    """Return when the broker took each committed record from here on (milliseconds since 1970), in order.

    Read_committed, to the end once no transaction is open there. `sent_alone`: only what a party had sent, and nothing
    that the bus says by itself, nor what takes an erased case's records away.
    """
    ends = {place: end for place, end in broker.settled_ends(begins).items() if end > begins[place]}
    settings = {"group.id": "bench.stamps", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**broker.access().librdkafka(), **settings, "isolation.level": "read_committed"})
    found: list[int] = []
    try:
        consumer.assign([TopicPartition(*place, begins[place]) for place in ends])
        left, moved = set(ends), time.monotonic()
        while left:
            some: list[Message] = consumer.consume(_READ, timeout=_WAIT)
            moved = time.monotonic() if some else moved
            if time.monotonic() - moved > _PATIENCE:
                raise UnreachableError("a topic that was just written cannot be read to its end.")
            for message in some:
                error = message.error()
                if error is None:
                    if not sent_alone or _was_sent(message):
                        found.append(message.timestamp()[1])
                elif error.name() == "_PARTITION_EOF":
                    left.discard((str(message.topic()), int(message.partition() or 0)))
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    return sorted(found)


def _was_sent(message: Message) -> bool:
    return any(header[0] == _INBOX_OFFSET for header in message.headers() or ())
