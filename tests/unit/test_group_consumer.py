"""What the worker makes of its coordinator's answers: an offset, nothing yet, ask again, or the end."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
    UnknownError,
)
from aiokafka.protocol.commit import OffsetFetchResponse_v3

from schemas import topics
from streams.group_consumer import GroupConsumer
from streams.transport import RunThread

PLACE = TopicPartition(topics.ADMITTED, 3)
SILENT: list[Any] = []


def told(offset: int, code: int = 0) -> Any:
    return OffsetFetchResponse_v3(0, [(PLACE.topic, [(PLACE.partition, offset, "", code)])], 0)


def for_all(code: int) -> Any:
    """Answer as a broker does for the group as a whole: it names no partition."""
    return OffsetFetchResponse_v3(0, SILENT, code)


@dataclass
class Coordinator:
    """Knows a node, until it is told that it is the wrong one."""

    coordinator_id: int | None = 1
    mistaken: int = 0

    async def ensure_coordinator_known(self) -> None:
        self.coordinator_id = 1

    def coordinator_dead(self) -> None:
        self.coordinator_id = None
        self.mistaken += 1


@dataclass
class Client:
    """Answers with these, one after the other."""

    answers: list[Any] = field(default_factory=list)

    async def send(self, _node: int, _request: object, *, group: object) -> Any:
        assert group
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def asking(*answers: Any) -> GroupConsumer:
    consumer = object.__new__(GroupConsumer)
    consumer._client, consumer._coordinator, consumer._group_id = Client([*answers]), Coordinator(), "group"
    consumer._closed = True  # it was never started
    return consumer


async def through_the_thread(consumer: GroupConsumer) -> int:
    async def call_thread(_: object, place: TopicPartition) -> Any:
        return await consumer.committed(place)

    thread: Any = SimpleNamespace(call_thread=call_thread, _committed=None)
    return await RunThread.committed(thread, PLACE)


async def test_an_offset_and_none_yet() -> None:
    assert await asking(told(7)).committed(PLACE) == 7
    assert await asking(told(0)).committed(PLACE) == 0
    assert await asking(told(-1)).committed(PLACE) is None


@pytest.mark.parametrize(
    ("first", "mistaken"),
    [
        (for_all(14), 0),  # it is loading: the right one, a little later
        (told(-1, 14), 0),
        (for_all(15), 1),
        (for_all(16), 1),
        (told(-1, 16), 1),
        (KafkaConnectionError(), 1),
    ],
)
async def test_what_says_not_now_is_asked_again(first: Any, mistaken: int) -> None:
    consumer = asking(first, told(7))
    assert await through_the_thread(consumer) == 7
    assert consumer._coordinator.mistaken == mistaken


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (for_all(30), GroupAuthorizationFailedError),
        (told(-1, 30), GroupAuthorizationFailedError),
        (for_all(88), UnknownError),
        (for_all(0), KeyError),  # the partition is not named, and no error either
    ],
)
async def test_what_is_no_answer_is_never_an_offset(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        await through_the_thread(asking(answer))


@pytest.mark.parametrize("code", [14, 16])
async def test_each_question_is_asked_once(code: int) -> None:
    """Whoever waits waits outside of the thread that serves the open lanes."""
    kinds: dict[int, type[KafkaError]] = {14: GroupLoadInProgressError, 16: NotCoordinatorForGroupError}
    consumer = asking(for_all(code), told(7))
    with pytest.raises(kinds[code]):
        await consumer.committed(PLACE)
    assert len(consumer._client.answers) == 1
