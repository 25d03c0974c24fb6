"""What a party's own login writes into its inbox, read before any worker is there to judge it and take it away."""

from functools import partial

import pytest
from aiokafka import TopicPartition

from deploy import clients
from producers.kafka_publisher import KafkaPublisher
from schemas import topics
from tests import http_side, speech
from tests.brokers import RunningKafka

INBOX = TopicPartition(topics.inbox("kff"), 0)


@pytest.mark.parametrize("subject", ["251248-9996", ""])
async def test_the_key_is_the_partys_own_whatever_the_subject_is(kafka: RunningKafka, subject: str) -> None:
    event = http_side.structured(speech.activity("kff"), subject=subject)
    async with KafkaPublisher("kff", partial(clients.producer, kafka.access("kff"))) as voice:
        offset = await voice.publish(event)
    async with http_side.consuming(kafka) as consumer:
        consumer.assign([INBOX])
        consumer.seek(INBOX, offset)
        record = await consumer.getone(INBOX)
    assert (record.offset, record.key) == (offset, b"kff")
