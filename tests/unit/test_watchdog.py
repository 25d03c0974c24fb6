"""What the watchdog makes of what it sees: on a made-up clock, with a worker that only says where it stands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from structlog.testing import capture_logs

from deploy import settings
from deploy.embedded import ports
from schemas import topics
from schemas.errors import MisconfiguredError, StalledError
from streams.claim import Claim
from streams.coordinate import Coordinate
from streams.ownership import Ownership, Phase
from streams.watchdog import PATIENCE, Watchdog
from tests.wire import contracts

PLACE = TopicPartition(topics.ADMITTED, 3)
BEAT = 5


@dataclass
class Standing:
    """A worker that stands where it is told to."""

    phase: Phase = Phase.SERVING
    epoch: int = 0
    positions: Mapping[TopicPartition, int] = field(default_factory=dict)
    under_way: Mapping[TopicPartition, int] = field(default_factory=dict)
    moves: Mapping[TopicPartition, int] = field(default_factory=dict)
    making: Mapping[tuple[TopicPartition, int], int] = field(default_factory=dict)


@dataclass
class Watch:
    """A watchdog that never starts, and what it called for."""

    worker: Standing = field(default_factory=Standing)
    failures: list[BaseException] = field(default_factory=list)
    patience: float = PATIENCE
    connection: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dog = Watchdog(self.connection, self.worker, self.failures.append, self.patience)

    def looks(self, seconds: int, behind: Mapping[TopicPartition, int]) -> None:
        for now in range(0, seconds + 1, BEAT):
            self.dog.decide(behind, now)

    def ends(self, after: float, phase: Phase) -> None:
        """Expect the worker's end after so many seconds, and no sooner, for the sake of its phase."""
        self.looks(int(after), {})
        assert self.failures == []
        with capture_logs() as said:
            self.dog.decide({}, after + BEAT)
        assert [type(failure) for failure in self.failures] == [StalledError]
        assert str(self.failures[0]).endswith(phase)
        line = {"event": "worker_stalled", "name": phase, "seconds": after + BEAT, "log_level": "error"}
        assert said == [line]


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


def test_a_claim_that_reads_nothing_more_is_ended(watch: Watch) -> None:
    watch.worker.phase = Phase.CLAIMING
    watch.worker.making = {(PLACE, 1): 1}
    watch.looks(int(PATIENCE), {})
    assert watch.failures == []
    with capture_logs() as said:
        watch.dog.decide({}, PATIENCE + BEAT)
    assert [str(failure).endswith(f"{PLACE.topic} {PLACE.partition}") for failure in watch.failures] == [True]
    assert [(line["event"], line["topic"], line["partition"]) for line in said] == [("claim_stalled", *PLACE)]


def test_claims_that_each_rebalance_begins_anew_are_none_that_hangs(watch: Watch) -> None:
    watch.worker.phase = Phase.CLAIMING
    for now in range(0, 3600, BEAT):
        watch.worker.making = {(PLACE, now // 30): 1}
        watch.dog.decide({}, now)
    assert watch.failures == []


def test_a_claim_that_reads_on_may_take_as_long_as_it_needs(watch: Watch) -> None:
    watch.worker.phase = Phase.CLAIMING
    for now in range(0, 3600, BEAT):
        watch.worker.making = {(PLACE, 1): now}
        watch.dog.decide({}, now)
    assert watch.failures == []


@pytest.mark.parametrize("phase", [Phase.ABANDONING, Phase.UNASSIGNED])
def test_where_nothing_is_claimed_patience_is_the_ordinary_one(watch: Watch, phase: Phase) -> None:
    watch.worker.phase = phase
    watch.ends(PATIENCE, phase)


def test_a_run_that_never_ends_is_not_waited_for_longer_in_a_rebalance(watch: Watch) -> None:
    """What it stood before the revocation counts too."""
    watch.worker.under_way = {PLACE: 7}
    watch.looks(30, {PLACE: 7})
    watch.worker.phase, watch.worker.epoch = Phase.UNASSIGNED, 1
    for now in range(35, int(PATIENCE) + 1, BEAT):
        watch.dog.decide({}, now)
    assert watch.failures == []
    with capture_logs() as said:
        watch.dog.decide({}, PATIENCE + BEAT)
    assert [str(failure).endswith(f"{PLACE.topic} {PLACE.partition}") for failure in watch.failures] == [True]
    assert [(line["event"], line["partition"], line["offset"]) for line in said] == [("partition_stalled", 3, 7)]


def test_many_cases_that_are_due_at_once_are_progress(watch: Watch) -> None:
    """No record moves its partition on meanwhile, and its turn is taken at every look."""
    watch.worker.under_way = {PLACE: 7}
    for now in range(0, 3600, BEAT):
        watch.worker.moves = {PLACE: now}
        watch.dog.decide({PLACE: 7}, now)
    assert watch.failures == []


def test_the_group_is_waited_for_once_no_run_is_under_way(watch: Watch) -> None:
    watch.worker.phase = Phase.UNASSIGNED
    for now in range(0, 40, BEAT):
        watch.worker.under_way = watch.worker.moves = {PLACE: now}
        watch.dog.decide({}, now)
    watch.worker.under_way = {}
    for now in range(40, 40 + int(PATIENCE) + 1, BEAT):
        watch.dog.decide({}, now)
    assert watch.failures == []


def test_rebalances_that_end_are_progress(watch: Watch) -> None:
    watch.worker.phase = Phase.UNASSIGNED
    for watch.worker.epoch in range(10):
        start = watch.worker.epoch * 50
        for now in range(start, start + 50, BEAT):
            watch.dog.decide({}, now)
    assert watch.failures == []


async def test_a_revoked_worker_tells_of_the_run_that_it_waits_for() -> None:
    class Lanes:
        def close_lanes(self) -> None: ...

    lanes: Any = Lanes()
    failures: list[BaseException] = []
    held = contracts()
    ownership = Ownership({}, held, lambda: lanes, failures.append)
    assert ownership.phase is Phase.UNASSIGNED
    ownership.serve(Coordinate(held, lambda: "00" * 16), [topics.ADMITTED])
    claim = Claim(PLACE, Coordinate(held, lambda: "00" * 16), {}, asyncio.Lock())
    claim.position = 7
    ownership._claims[PLACE] = claim
    assert ownership.positions == {PLACE: 7}
    async with claim.turn:
        revoking = asyncio.create_task(ownership.revoked())
        await asyncio.sleep(0)
        assert (ownership.positions, ownership.under_way) == ({}, {PLACE: 7})
        assert (ownership.phase, ownership.ready, revoking.done()) == (Phase.UNASSIGNED, False, False)
    await revoking
    assert (ownership.positions, ownership.under_way, ownership.epoch) == ({}, {}, 1)
    await claim.release()
    assert failures == []


async def test_claims_are_being_made_only_after_an_assignment() -> None:
    ownership = Ownership({}, contracts(), _no_thread, _no_thread)
    half_made = asyncio.get_running_loop().create_task(asyncio.sleep(0))
    phases = [ownership.phase]
    ownership._claiming.add(half_made)
    phases.append(ownership.phase)
    ownership._assigned.set()
    phases.append(ownership.phase)
    ownership._claiming.clear()
    phases.append(ownership.phase)
    assert phases == [Phase.UNASSIGNED, Phase.ABANDONING, Phase.CLAIMING, Phase.SERVING]
    await half_made


async def test_a_claim_is_being_made_until_its_lane_is_open_or_it_is_given_up() -> None:
    """Else one that a revocation met would be watched for ever, and end a worker that has done nothing wrong."""
    asked, opened = asyncio.Event(), asyncio.Event()

    class Thread:
        def close_lanes(self) -> None: ...

        async def open(self, *_: object) -> bool:
            asked.set()
            return await opened.wait()

    thread: Any = Thread()
    ownership = Ownership({}, contracts(), lambda: thread, _no_thread)
    ownership._claims[PLACE] = claim = Claim(PLACE, Coordinate(contracts(), lambda: "00" * 16), {}, asyncio.Lock())
    ownership.assigned([PLACE])
    await asked.wait()
    assert ownership.making == {(PLACE, 1): claim.moves}
    await ownership.revoked()
    assert ownership.making == {}
    opened.set()
    ownership.assigned([PLACE])
    await asyncio.gather(*ownership._claiming)
    assert (ownership.making, ownership.phase) == ({}, Phase.SERVING)
    await ownership.close()


def _no_thread(*_: object) -> NoReturn:
    raise AssertionError


def test_no_patience_is_shorter_than_what_a_worker_may_rightly_wait_for() -> None:
    assert settings.Settings.model_fields["worker_patience"].default == PATIENCE
    assert settings.load(worker_patience=PATIENCE).worker_patience == PATIENCE
    with pytest.raises(MisconfiguredError, match="SAMSPIL_WORKER_PATIENCE"):
        settings.load(worker_patience=PATIENCE - 1)


def test_answers_that_are_long_in_coming_shorten_no_patience() -> None:
    """Two looks, however far apart, are two looks."""
    watch = Watch(patience=10)
    for now in range(0, 12 * 20, 20):
        watch.dog.decide({PLACE: 7}, now)
    assert watch.failures == []


@pytest.mark.parametrize("worker", [Standing(), Standing(Phase.UNASSIGNED)], ids=lambda worker: worker.phase)
def test_time_in_which_the_broker_does_not_answer_does_not_count(worker: Standing) -> None:
    watch = Watch(worker)
    waiting = {PLACE: 7} if worker.phase is Phase.SERVING else {}
    watch.looks(45, waiting)
    watch.dog.pass_over(TimeoutError())
    watch.dog.decide(waiting, 3645)
    for now in range(3650, 3661, BEAT):
        watch.dog.decide(waiting, now)
    assert watch.failures == []  # 45 s and 15 s
    watch.dog.decide(waiting, 3665)
    assert [type(failure) for failure in watch.failures] == [StalledError]


def test_a_broker_that_answers_every_other_time_ends_nobody(watch: Watch) -> None:
    for now in range(0, 10_000, 30):
        watch.dog.decide({PLACE: 7}, now)
        watch.dog.pass_over(TimeoutError())
    assert watch.failures == []


def test_what_looks_fail_of_is_told_once_for_each_kind(watch: Watch) -> None:
    with capture_logs() as said:
        for error in (TimeoutError(), KafkaConnectionError(), TimeoutError(), TopicAuthorizationFailedError()):
            watch.dog.pass_over(error)
    assert [(line["event"], line["log_level"]) for line in said] == [("watch_blind", "warning")] * 3
    assert [line["error"] for line in said] == [
        "TimeoutError",
        "KafkaConnectionError",
        "TopicAuthorizationFailedError",
    ]
    assert watch.failures == []


def test_what_looks_fail_of_after_one_that_did_not_is_told_again(watch: Watch) -> None:
    with capture_logs() as said:
        for now in range(2):
            watch.dog.pass_over(TimeoutError())
            watch.dog.decide({}, now)
    assert [line["error"] for line in said] == ["TimeoutError"] * 2


async def test_a_look_that_nobody_answers_fails_and_counts_nothing() -> None:
    nobody = f"{ports.HOST}:{ports.choose(['kafka'], {})['kafka']}"
    watch = Watch(connection={"bootstrap_servers": nobody})
    watch.looks(int(PATIENCE), {PLACE: 7})
    with capture_logs() as said:
        assert [await watch.dog.look() for _ in range(3)] == [False] * 3
    assert [(line["event"], line["error"]) for line in said] == [("watch_blind", "KafkaConnectionError")]
    watch.dog.decide({PLACE: 7}, 10_000)
    assert watch.failures == []
