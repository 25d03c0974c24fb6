"""Speaking straight into one's inbox, as a party with a Kafka client of its own choice would.

Its queue is small, so that it fills when the broker stands still and the publisher must wait. A delivery that
fails for good ends the process: the next one says it again.
"""

import os
import time

from confluent_kafka import KafkaError, Message, Producer

from schemas import topics
from tests.chaos.journal import QUEUE_FULL, Acknowledged, Journal
from tests.chaos.lives import Line, interleaved
from tests.chaos.publisher import Order

QUEUE = 12
_FOR_EVER = 0  # librdkafka's word for no time limit: a record is delivered or the process is gone
_LONGEST_DEBT = 5.0  # seconds of silence that are caught up with


class KafkaVoice:
    """One party's idempotent producer."""

    def __init__(self, order: Order, journal: Journal) -> None:
        self._order = order
        self._journal = journal
        self._inbox = topics.inbox(order.party)
        self._next = time.monotonic()
        self._producer = Producer(
            {
                **order.kafka,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 5,
                "queue.buffering.max.messages": QUEUE,
                "message.timeout.ms": _FOR_EVER,
                "error_cb": _end_if_fatal,
            }
        )

    def speak(self) -> None:
        for block in self._order.blocks():
            for line in interleaved(block):
                self._keep_pace()
                self._say(line)
        while self._producer.flush(1):
            pass

    def _say(self, line: Line) -> None:
        saying = line.saying

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                os._exit(1)
            self._journal.acknowledged(Acknowledged(saying.party, saying.id, saying.case, message.offset()))

        waited = False
        while True:
            try:
                self._producer.produce(
                    self._inbox,
                    saying.value,
                    saying.key,
                    partition=0,
                    headers=list(saying.headers),
                    on_delivery=delivered,
                )
            except BufferError:
                if not waited:
                    self._journal.note(QUEUE_FULL)
                waited = True
                self._producer.poll(0.1)
            else:
                return

    def _keep_pace(self) -> None:
        """Serve the acknowledgements until the next word is due."""
        self._next = max(self._next + 1 / self._order.rate, time.monotonic() - _LONGEST_DEBT)
        self._producer.poll(0)
        while not self._order.is_enough and (left := self._next - time.monotonic()) > 0:
            self._producer.poll(min(left, 0.5))


def _end_if_fatal(error: KafkaError) -> None:
    if error.fatal():
        os._exit(1)
