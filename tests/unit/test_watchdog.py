"""What the watchdog makes of what it sees: on a made-up clock, with a worker that only says where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition

from schemas import topics
from schemas.errors import StalledError
from streams.watchdog import PATIENCE, Watchdog

PLACE = TopicPartition(topics.ADMITTED, 3)
BEAT = 5


@dataclass
class Standing:
    """A worker that stands where it is told to."""

    ready: bool = True
    positions: Mapping[TopicPartition, int] = field(default_factory=dict)


@dataclass
class Watch:
    """A watchdog that never starts, and what it called for."""

    worker: Standing = field(default_factory=Standing)
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dog = Watchdog({}, self.worker, self.failures.append)

    def looks(self, seconds: int, behind: Mapping[TopicPartition, int]) -> None:
        for now in range(0, seconds + 1, BEAT):
            self.dog.decide(behind, now)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_worker_that_judges_nothing_of_what_waits_is_ended(watch: Watch) -> None:
    watch.looks(int(PATIENCE), {PLACE: 7})
    assert watch.failures == []
    watch.dog.decide({PLACE: 7}, PATIENCE + BEAT)
    assert [type(failure) for failure in watch.failures] == [StalledError]
    assert str(watch.failures[0]).endswith(f"{PLACE.topic} {PLACE.partition}")


def test_a_worker_that_waits_is_left_alone(watch: Watch) -> None:
    watch.looks(10_000, {})
    assert watch.failures == []


def test_a_claim_may_take_ten_times_as_long(watch: Watch) -> None:
    watch.worker.ready = False
    watch.looks(int(PATIENCE * 10), {})
    assert watch.failures == []
    watch.dog.decide({}, PATIENCE * 10 + BEAT)
    assert [type(failure) for failure in watch.failures] == [StalledError]


def test_claims_that_come_one_by_one_are_progress(watch: Watch) -> None:
    watch.worker.ready = False
    for minute in range(60):
        watch.worker.positions = {TopicPartition(topics.ADMITTED, n): 0 for n in range(minute)}
        watch.dog.decide({}, minute * 60.0)
    assert watch.failures == []
