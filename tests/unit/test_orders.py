"""What the data protection officer orders of a case, through both steps as pure functions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from deploy.erasing.officer import some_case_in
from schemas import topics
from schemas.case import Case, Erased, Hold, hold_key
from schemas.envelope import log_key_of
from schemas.orders import Order, order_record
from schemas.outputs import MARK
from schemas.records import Headers, Inbound, Outbound
from streams.admit import Admit
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests import wire
from tests.speech import Saying, concern
from tests.wire import contracts

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ID = "7d0ee3a8-8d5e-4e55-8f0b-1e2d3c4b5a69"
CPR = "251248-9996"


class _Clock:
    """A clock that is set by hand."""

    follows = False

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def observe(self, time: datetime) -> None:
        raise AssertionError(time)

    def settled(self) -> datetime:
        return self.time


class _Bus:
    """Both steps over one memory, a record at a time. `said` keeps all that COORDINATE wrote."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.memory = States()
        self.said: list[Outbound] = []
        self._admit = Admit(contracts(), self.clock, lambda: wire.BUS_SALT)
        self._coordinate = Coordinate(contracts(), lambda: wire.BUS_SALT)

    def take(self, topic: str, key: bytes, value: bytes, headers: Headers, dead: int = 0) -> list[Outbound]:
        [admitted] = judged(self._admit, [Inbound(topic, 0, 7, key, value, headers)], States()).outputs
        if admitted.topic != topics.ADMITTED:
            return [admitted]
        outcome = judged(self._coordinate, [_inbound(admitted)], self.memory)
        assert len(outcome.dead) == dead
        self.memory.keep(outcome.states)
        self.said += outcome.outputs
        return list(outcome.outputs)

    def say(self, saying: Saying) -> list[Outbound]:
        return self.take(topics.inbox(saying.party), saying.key, saying.value, saying.headers)

    def order(self, order: Order, dead: int = 0) -> list[Outbound]:
        record = order_record(order)
        assert (record.topic, record.partition) == (topics.inbox("dpo"), 0)
        return self.take(record.topic, record.key or b"", record.value or b"", record.headers, dead)

    def answer(self, order: Order) -> dict[str, Any]:
        [answer] = [r for r in self.order(order) if r.topic == topics.refusals("dpo")]
        assert answer.headers == (("ce_inboxoffset", b"7"),)
        said: dict[str, Any] = orjson.loads(answer.value or b"")
        return said

    def tick(self) -> None:
        now = self.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        while keys := self.memory.due(now, 10):
            self.memory.keep(self._coordinate.tick(keys, self.memory, now, contracts().newest).states)


def _inbound(record: Outbound) -> Inbound:
    return Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers)


@pytest.fixture
def case() -> str:
    return str(uuid4())


@pytest.fixture
def bus(case: str) -> _Bus:
    bus = _Bus()
    child = concern("buf", case, observed_on="2026-03-01", age_band="15_17")
    bus.say(Saying(**{**_parts(child), "time": "2026-03-02T11:00:00Z"}))
    return bus


def _parts(saying: Saying) -> dict[str, Any]:
    return {name: getattr(saying, name) for name in ("party", "id", "type", "case", "data", "time")}


def _erase(case: str) -> Order:
    return Order(ID, "erase", case, "wrong_subject")


def _of(records: Iterable[Outbound], topic: str) -> list[Outbound]:
    return [record for record in records if record.topic == topic]


def test_an_erasure_leaves_a_stub_and_nothing_else(bus: _Bus, case: str) -> None:
    before, said = bus.memory.get(case), tuple(bus.said)
    assert isinstance(before, Case)
    shown = [record for record in said if record.topic.startswith("samspil.views.")]
    outputs = bus.order(_erase(case))
    stub = bus.memory.get(case)
    assert isinstance(stub, Erased)
    assert (stub.reason, stub.at) == ("wrong_subject", "2026-03-02T12:00:00.000000Z")
    assert [(r.key, r.value) for r in _of(outputs, topics.LOG)] == [
        (log_key_of(event.party, case, id_), None) for id_, event in before.said.items()
    ]
    taken_away = {(r.topic, r.key) for r in outputs if r.value is None and r.topic.startswith("samspil.views.")}
    assert taken_away == {(r.topic, r.key) for r in shown}
    told = [r.topic for r in outputs if r.value is not None and r.topic.startswith("samspil.views.")]
    assert told == [topics.views(party) for party in stub.recipients]
    assert [r.key for r in _of(outputs, topics.CASES)] == [case.encode()]


def test_it_is_answered_and_again_when_it_is_ordered_again(bus: _Bus, case: str) -> None:
    assert bus.answer(_erase(case)) == {"id": ID, "verdict": "accepted", "withheld": []}
    stub = bus.memory.get(case)
    assert bus.answer(_erase(case)) == {"id": ID, "verdict": "accepted", "withheld": [], "duplicate": True}
    assert bus.memory.get(case) == stub


@pytest.mark.parametrize("kind", ["erase", "hold"])
def test_of_no_case_nothing_is_done(bus: _Bus, kind: Any) -> None:
    order = Order(ID, kind, str(uuid4()), "rights_request" if kind == "erase" else None)
    [answer] = bus.order(order)
    assert orjson.loads(answer.value or b"")["reason"] == "unknown_case"


def test_of_an_erased_case_the_officer_is_told_that_it_was(bus: _Bus, case: str) -> None:
    bus.order(_erase(case))
    assert bus.answer(Order(ID, "hold", case))["reason"] == "erased"
    assert bus.answer(Order(ID, "release", case))["reason"] == "not_held"


def test_a_later_event_brings_nothing_back(bus: _Bus, case: str) -> None:
    bus.order(_erase(case))
    stub = bus.memory.get(case)
    [answer] = bus.say(
        Saying(**{**_parts(concern("buf", case, observed_on="2026-03-01")), "time": "2026-03-02T11:30:00Z"})
    )
    assert orjson.loads(answer.value or b"")["reason"] == "unknown_case"
    assert bus.memory.get(case) == stub


def test_a_hold_stands_against_an_erasure_until_it_is_released(bus: _Bus, case: str) -> None:
    assert bus.answer(Order(ID, "hold", case))["verdict"] == "accepted"
    assert bus.memory.get(hold_key(case)) == Hold(case, "2026-03-02T12:00:00.000000Z")
    assert bus.answer(_erase(case)) == {"id": ID, "verdict": "refused", "reason": "held", "paths": []}
    assert isinstance(bus.memory.get(case), Case)
    [state, *_] = _of(bus.order(Order(ID, "release", case)), topics.CASES)
    assert (state.key, state.value) == (hold_key(case).encode(), None)
    assert bus.answer(_erase(case))["verdict"] == "accepted"


def test_a_hold_is_kept_beside_its_case_and_since_it_was_first_ordered(bus: _Bus, case: str) -> None:
    [state] = _of(bus.order(Order(ID, "hold", case)), topics.CASES)
    assert (state.key, state.partition) == (hold_key(case).encode(), topics.partition_of(case.encode()))
    bus.clock.time += timedelta(days=1)
    assert bus.answer(Order(ID, "hold", case))["duplicate"] is True
    assert bus.memory.get(hold_key(case)) == Hold(case, "2026-03-02T12:00:00.000000Z")


def test_where_there_is_no_hold_none_is_released(bus: _Bus, case: str) -> None:
    assert bus.answer(Order(ID, "release", case))["reason"] == "not_held"


def test_what_a_hold_kept_beyond_its_time_goes_when_it_is_released(bus: _Bus, case: str) -> None:
    """The tick that came while it was held said nothing, and none would come again."""
    bus.order(Order(ID, "hold", case))
    bus.clock.time += timedelta(days=3 * 366)
    bus.tick()
    assert isinstance(bus.memory.get(case), Case)
    bus.order(Order(ID, "release", case))
    stub = bus.memory.get(case)
    assert isinstance(stub, Erased)
    assert stub.reason == "retention"


def test_what_time_brought_is_said_before_an_order(bus: _Bus, case: str) -> None:
    """The deadline that passed is a receipt of the case, and so part of what its stub counts."""
    bus.clock.time += timedelta(days=2)
    outputs = bus.order(Order(ID, "hold", case))
    assert b"deadline-passed" in b"".join(value for r in outputs for _, value in r.headers)


def test_a_sweep_only_closes_files(bus: _Bus, case: str) -> None:
    """It may name any case of the partition, one that is not there too: so the order itself leaves no trace of one."""
    before, number = bus.memory.get(case), len(bus.memory)
    outputs = bus.order(Order(ID, "sweep", some_case_in(topics.partition_of(case.encode()))))
    assert len(bus.memory) == number
    marks = [record for record in outputs if record.key == MARK]
    assert {(r.topic, r.partition) for r in marks} == {
        (topics.LOG, topics.partition_of(case.encode())),
        (topics.CASES, topics.partition_of(case.encode())),
        *((topics.views(party), 0) for party in contracts().newest.parties),
    }
    assert all(record.value is None for record in marks)
    assert len(outputs) == len(marks) + 1
    assert bus.memory.get(case) == before


def test_an_erasure_that_fails_is_not_said_to_be_done(bus: _Bus, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(CPR)

    monkeypatch.setattr("streams.coordinate.erased", fail)
    answer, letter = bus.order(_erase(case), dead=1)
    assert (answer.topic, letter.topic) == (topics.refusals("dpo"), topics.DEAD)
    assert orjson.loads(answer.value or b"")["reason"] == "internal"
    assert isinstance(bus.memory.get(case), Case)


def test_nobody_else_gives_orders(bus: _Bus, case: str) -> None:
    """In another party's inbox the header means nothing, and what it says is no event."""
    record = order_record(_erase(case))
    [answer] = bus.take(topics.inbox("politi"), record.key or b"", record.value or b"", record.headers)
    assert answer.topic == topics.refusals("politi")
    assert orjson.loads(answer.value or b"")["reason"] == "bad_envelope"
    assert isinstance(bus.memory.get(case), Case)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": None},
        {"reason": "because"},
        {"kind": "raise"},
        {"case": CPR},
        {"id": CPR},
        {"note": CPR},
        {"kind": "hold"},  # a hold has no reason
    ],
)
def test_a_malformed_order_is_refused_without_a_word_of_it(bus: _Bus, case: str, change: dict[str, Any]) -> None:
    record = order_record(_erase(case))
    value = orjson.dumps(orjson.loads(record.value or b"") | change)
    [answer] = bus.take(record.topic, record.key or b"", value, record.headers)
    assert orjson.loads(answer.value or b"") == {
        "id": None,
        "verdict": "refused",
        "reason": "bad_envelope",
        "paths": [""],
    }
    assert CPR not in repr(answer)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"\xff", b'{"id":', CPR.encode()])
def test_what_is_no_order_at_all_is_refused(bus: _Bus, case: str, value: bytes | None) -> None:
    record = order_record(_erase(case))
    [answer] = bus.take(record.topic, record.key or b"", value or b"", record.headers)
    assert orjson.loads(answer.value or b"")["reason"] == "bad_envelope"
    assert CPR not in repr(answer)
