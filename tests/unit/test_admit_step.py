"""ADMIT as a pure step: bytes in, records out, and nothing of a bad record in what it says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson

from deploy.clock import EventsClock, WallClock
from schemas import admission, topics
from schemas.contract import Contract
from schemas.envelope import Event
from schemas.records import Headers, Inbound
from schemas.verdicts import Refusal
from streams.admit import Admit
from streams.states import States
from streams.step import judged
from tests.speech import Saying, activity, concern
from tests.wire import contracts

NOW = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)
CPR = "251248-9996"


class Stopped:
    """A clock that stands still."""

    follows = False

    def now(self) -> datetime:
        return NOW

    def observe(self, time: datetime) -> None:
        raise AssertionError(time)

    def settled(self) -> datetime:
        return NOW


def _salts() -> Iterator[str]:
    return (f"{n:032x}" for n in range(100))


def _step() -> Admit:
    salts = _salts()
    return Admit(contracts(), Stopped(), lambda: next(salts))


def _record(saying: Saying, offset: int = 0) -> Inbound:
    return Inbound(topics.inbox(saying.party), 0, offset, saying.key, saying.value, saying.headers)


def _said(saying: Saying, time: str = "2026-03-02T11:00:00Z") -> Saying:
    return Saying(saying.party, saying.id, saying.type, saying.case, saying.data, time)


def test_an_event_is_sealed_and_stands_beside_its_case() -> None:
    saying = _said(concern("buf", str(uuid4()), observed_on="2026-03-01"))
    [record] = judged(_step(), [_record(saying, 41)], States()).outputs
    assert saying.case is not None
    assert (record.topic, record.partition) == (topics.ADMITTED, topics.partition_of(saying.case.encode()))
    seal = admission.unseal(Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers)).seal
    assert (seal.recorded, seal.salt, seal.inbox_offset) == ("2026-03-02T12:00:00.000005Z", "0" * 32, 41)
    assert seal.contract == contracts().at(NOW).digest


def test_nothing_that_was_written_beside_the_event_travels_on() -> None:
    saying = _said(activity("kff"))
    more: Headers = (("Faust-Ag-ReplyTo", b"evil"), ("x-note", CPR.encode()))
    inbound = Inbound(topics.inbox("kff"), 0, 0, CPR.encode(), saying.value, (*saying.headers, *more))
    [record] = judged(_step(), [inbound], States()).outputs
    assert record.key == b"kff"
    assert CPR.encode() not in repr(record).encode()
    assert not {name for name, _ in record.headers} & {"Faust-Ag-ReplyTo", "x-note"}


def test_a_refusal_goes_to_the_inboxs_party_with_its_place() -> None:
    saying = _said(concern("buf", str(uuid4()), person=CPR))
    [record] = judged(_step(), [_record(saying, 7)], States()).outputs
    assert (record.topic, dict(record.headers)) == (topics.refusals("buf"), {"ce_inboxoffset": b"7"})
    assert orjson.loads(record.value or b"")["reason"] == "schema"
    assert CPR.encode() not in (record.value or b"")


def test_another_partys_source_is_not_believed() -> None:
    saying = _said(activity("kff"))
    inbound = Inbound(topics.inbox("buf"), 0, 0, None, saying.value, saying.headers)
    [record] = judged(_step(), [inbound], States()).outputs
    assert orjson.loads(record.value or b"")["reason"] == "not_your_source"


def test_a_tombstone_and_an_empty_record_are_refused() -> None:
    nothing = [Inbound(topics.inbox("buf"), 0, n, None, value, ()) for n, value in enumerate([None, b""])]
    outcome = judged(_step(), nothing, States())
    assert [orjson.loads(r.value or b"")["reason"] for r in outcome.outputs] == ["bad_envelope"] * 2
    assert not outcome.dead


def test_a_step_that_raises_names_the_place_and_goes_on() -> None:
    bad, good = _said(activity("kff")), _said(activity("kff"))

    def admit(contract: Contract, party: str, headers: Headers, value: bytes | None, now: datetime) -> Event | Refusal:
        if dict(headers)["ce_id"].decode() == bad.id:
            raise ValueError(CPR)
        return admission.admit(contract, party, headers, value, now)

    salts = _salts()
    step = Admit(contracts(), Stopped(), lambda: next(salts), admit=admit)
    outcome = judged(step, [_record(bad, 3), _record(good, 4)], States())
    answer, letter, admitted = outcome.outputs
    assert orjson.loads(answer.value or b"") == {"id": bad.id, "verdict": "refused", "reason": "internal", "paths": []}
    place = {"topic": topics.inbox("kff"), "partition": 0, "offset": 3, "step": "admit", "error": "ValueError"}
    assert (letter.topic, orjson.loads(letter.value or b"")) == (topics.DEAD, place)
    assert admitted.topic == topics.ADMITTED
    assert [dead.offset for dead in outcome.dead] == [3]
    assert CPR not in repr(outcome)


def test_an_events_clock_follows_events_and_never_runs_back() -> None:
    clock = EventsClock(contracts())
    start = clock.now()
    salts = _salts()
    step = Admit(contracts(), clock, lambda: next(salts))
    times = ["2026-03-02T11:00:00Z", "2026-03-09T09:00:00+01:00", "2026-03-05T00:00:00Z"]
    run = [_record(_said(activity("kff"), time), n) for n, time in enumerate(times)]
    recorded = [dict(r.headers)["ce_recordedtime"].decode() for r in judged(step, run, States()).outputs]
    assert recorded == ["2026-03-02T11:00:00.000000Z", *["2026-03-09T08:00:00.000000Z"] * 2]
    assert start < clock.now() == datetime(2026, 3, 9, 8, tzinfo=UTC)


def test_an_events_clock_ignores_what_is_no_event() -> None:
    clock = EventsClock(contracts())
    before = clock.now()
    saying = _said(concern("buf", str(uuid4()), person=CPR), "2027-01-01T00:00:00Z")
    judged(Admit(contracts(), clock, lambda: "0" * 32), [_record(saying)], States())
    assert clock.now() == before


def test_an_events_clock_goes_on_where_the_bus_was() -> None:
    newest = datetime(2026, 6, 1, tzinfo=UTC)
    assert EventsClock(contracts(), newest).now() == newest
    assert EventsClock(contracts(), datetime(2020, 1, 1, tzinfo=UTC)).now() == EventsClock(contracts()).now()


def test_the_wall_clock_is_the_time_of_day() -> None:
    clock = WallClock()
    clock.observe(datetime(2050, 1, 1, tzinfo=UTC))
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
