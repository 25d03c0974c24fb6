"""COORDINATE as FastStream's documentation recommends it: a subscriber, and `broker.publish` for each output.

FastStream keeps no state: here it is a dictionary, and each new state is published to a topic, as one would to find
it again. Exactly once it does not offer: its broker takes a transactional id, but no call begins a transaction.
`ack_first` is its default (offsets are committed by a timer, whatever became of the events); `ack` commits an event
once it is done (at least once), and there several partitions may be handled at once, each in order.
"""

import asyncio

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram256

from deploy.bench.order import Order
from deploy.bench.subjects.one_by_one import OneByOne, headers_of
from schemas import topics
from schemas.records import Inbound, Outbound


def run(order: Order) -> None:
    asyncio.run(application(order).run())


def application(order: Order) -> FastStream:
    security = SASLScram256(username=order.access["principal"], password=order.access["password"])
    broker = KafkaBroker(order.access["bootstrap"], security=security, logger=None)
    states: dict[str, bytes] = {}
    step = OneByOne(order.policies, states.get)
    policy = AckPolicy(order.options["guarantee"])

    @broker.subscriber(  # type: ignore[untyped-decorator]  # typed where it is installed
        topics.ADMITTED,
        group_id=order.name,
        auto_offset_reset="earliest",
        ack_policy=policy,
        max_workers=1 if policy is AckPolicy.ACK_FIRST else topics.PARTITIONS,
        decoder=_untouched,
    )
    async def coordinate(message: KafkaMessage) -> None:
        raw = message.raw_message
        changed, written = step.judge(
            Inbound(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers_of(raw.headers))
        )
        states.update(changed)
        kept = [Outbound(order.options["states"], raw.partition, key.encode(), state) for key, state in changed.items()]
        await asyncio.gather(
            *(
                broker.publish(
                    output.value,
                    topic=output.topic,
                    key=output.key,
                    partition=output.partition,
                    headers={name: value.decode() for name, value in output.headers},
                )
                for output in (*written, *kept)
            )
        )

    return FastStream(broker, logger=None)


async def _untouched(message: KafkaMessage) -> bytes:
    return message.body if isinstance(message.body, bytes) else b""
