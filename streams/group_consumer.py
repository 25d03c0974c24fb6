"""The worker's consumer, which never takes "not now" for "nothing was committed".

A coordinator that has just begun, or is one no more, answers the question for offsets with an error for the group as a
whole and names no partition. aiokafka reads the errors of partitions alone, and so finds that the group has committed
nothing: all that still lies in the partition would be judged anew.

(aiokafka asks in its own way too, when partitions are assigned, and may begin to fetch at the oldest record. That
decides nothing: a lane opens with a seek to its claim's place, and a claim passes over what it has judged.)

Leans on private attributes of aiokafka 0.14.0: tests/contract/test_faust_attributes.py holds each.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import GroupLoadInProgressError, KafkaError, NoError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from streams.paced_consumer import PacedConsumer

_NONE = -1


class GroupConsumer(PacedConsumer):
    """A consumer that belongs to a group."""

    async def committed(self, partition: TopicPartition) -> int | None:
        """Return the offset that the group has committed, or None if it has committed none.

        Asks once. Raises KafkaError where it is not answered: one that is `retriable` says that it may be soon.
        """
        await self._coordinator.ensure_coordinator_known()
        node = self._coordinator.coordinator_id
        try:
            return await self._told(node, partition)
        except KafkaError as error:
            mistaken = error.retriable and not isinstance(error, GroupLoadInProgressError)
            if mistaken and self._coordinator.coordinator_id == node:
                self._coordinator.coordinator_dead()  # it may be another by now
            raise

    async def _told(self, node: int, place: TopicPartition) -> int | None:
        request = OffsetFetchRequest(self._group_id, [(place.topic, [place.partition])])
        response = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
        for code in _codes(response):
            if (error := for_code(code)) is not NoError:
                raise error(f"code {code}")
        told = {(topic, number): offset for topic, numbers in response.topics for number, offset, _, _ in numbers}
        offset = int(told[place])
        return None if offset == _NONE else offset


def _codes(response: Any) -> Iterator[int]:
    yield response.error_code
    yield from (code for _, partitions in response.topics for _, _, _, code in partitions)
