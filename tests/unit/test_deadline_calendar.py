"""When deadlines pass by the city's calendar, through the whole step; and that it follows from the log alone.

What time brings must not hang on when somebody looked, nor stop a case when the contract has changed meanwhile.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from schemas import state
from schemas.canonical import digest
from schemas.case import Case, Erased, Hold, hold_key
from schemas.clock_times import rfc3339
from schemas.contract import Contract, Contracts, Retention
from streams.batch import Kept
from streams.states import States
from tests.unit.deadline_lives import (
    BEGIN,
    DAY,
    INSTANT,
    LONG_AFTER,
    RULES,
    city,
    concern,
    measure,
    opened,
    request,
    running,
    screening,
)
from tests.unit.partition import Partition
from tests.unit.sayings import ADULT
from tests.wire import contracts


@pytest.mark.parametrize(
    ("name", "start", "more", "due"),
    [
        # The clocks change on 29 March and 25 October 2026: 24 hours are 24 hours.
        ("assessment_24h", "2026-03-28T12:00:00+01:00", {}, "2026-03-29T13:00:00+02:00"),
        ("assessment_24h", "2026-03-29T01:30:00+01:00", {}, "2026-03-30T02:30:00+02:00"),
        ("assessment_24h", "2026-10-24T12:00:00+02:00", {}, "2026-10-25T11:00:00+01:00"),
        ("assessment_24h", "2026-10-24T02:30:00+02:00", {}, "2026-10-25T02:30:00+02:00"),
        ("assessment_24h", "2026-10-25T02:30:00+02:00", {}, "2026-10-26T01:30:00+01:00"),
        # Days are over at midnight, by the clock of that night.
        ("coordination_meeting", "2026-03-15T12:00:00+01:00", {}, "2026-03-30T00:00:00+02:00"),
        ("coordination_meeting", "2026-10-11T12:00:00+02:00", {}, "2026-10-26T00:00:00+01:00"),
        ("transfer", "2026-03-02T12:00:00+01:00", {"due": "2026-03-29"}, "2026-03-30T00:00:00+02:00"),
        ("transfer", "2026-03-02T12:00:00+01:00", {"due": "2026-03-28"}, "2026-03-29T00:00:00+01:00"),
        ("follow_up", "2026-10-01T12:00:00+02:00", {"next_due": "2026-10-25"}, "2026-10-26T00:00:00+01:00"),
        # Late in the evening it is tomorrow in the city before it is in London.
        ("rights_request", "2026-06-30T22:30:00+00:00", {}, "2026-08-02T00:00:00+02:00"),
        # Months end on the last day of a shorter one.
        ("rights_request", "2026-01-31T12:00:00+01:00", {}, "2026-03-01T00:00:00+01:00"),
        ("rights_request", "2028-01-31T12:00:00+01:00", {}, "2028-03-01T00:00:00+01:00"),
        ("rights_request", "2026-03-31T12:00:00+02:00", {}, "2026-05-01T00:00:00+02:00"),
        ("first_follow_up", "2026-11-30T12:00:00+01:00", {}, "2027-03-01T00:00:00+01:00"),
        ("first_follow_up", "2027-11-30T12:00:00+01:00", {}, "2028-03-01T00:00:00+01:00"),
        ("first_follow_up", "2026-08-31T12:00:00+02:00", {}, "2026-12-01T00:00:00+01:00"),
        # Easter 2026: Thursday 2, Friday 3, Sunday 5 and Monday 6 April are no working days.
        ("notifier_receipt", "2026-03-31T12:00:00+02:00", {}, "2026-04-11T00:00:00+02:00"),
        # Store bededag would have been Friday 1 May; it is none since 2024. Ascension is 14 May.
        ("notifier_receipt", "2026-04-27T12:00:00+02:00", {}, "2026-05-05T00:00:00+02:00"),
        ("notifier_receipt", "2026-05-11T12:00:00+02:00", {}, "2026-05-20T00:00:00+02:00"),
        # Christmas: the 25th and 26th, 1 January and the Sundays; the 24th and 31st are working days.
        ("notifier_receipt", "2026-12-23T12:00:00+01:00", {}, "2027-01-03T00:00:00+01:00"),
    ],
)
def test_it_passes_when_the_citys_calendar_says(name: str, start: str, more: dict[str, Any], due: str) -> None:
    begin, at = datetime.fromisoformat(start), datetime.fromisoformat(due)
    partition = opened(RULES[name], begin)
    started = RULES[name].start(partition, begin, **more)
    partition.tick(at - INSTANT)
    assert partition.said(name) == []
    partition.tick(at)
    [said] = partition.said(name)
    assert (said.started, datetime.fromisoformat(said.due_at)) == (started, at)


def test_what_would_pass_after_the_erasure_is_not_said_however_late_the_look() -> None:
    """The case is closed in March and erased in September; a request of 20 August would be late on 20 September."""
    looked, late = running(RULES["first_follow_up"]), running(RULES["first_follow_up"])
    for life in (looked, late):
        life.say(BEGIN, "sof", "case-closed")
        life.say(city("2026-08-20T12:00"), "sof", "rights-request-received")
    for at in ("2026-09-02T12:00", "2026-09-03T00:00", "2026-10-01T12:00"):
        looked.partition.tick(city(at))
    late.partition.tick(city("2026-10-01T12:00"))
    assert isinstance(late.partition.state, Erased)
    assert looked.partition.passed == late.partition.passed
    assert late.partition.said("rights_request") == []


@pytest.mark.parametrize("taken_back", [False, True])
def test_an_answer_erases_at_once_unless_the_request_was_taken_back(*, taken_back: bool) -> None:
    life = running(RULES["rights_request"], article="17")
    if taken_back:
        life.say(BEGIN, "sof", "correction-issued", corrects=life.started)
    life.say(BEGIN + DAY, "sof", "rights-request-answered", request=life.started)
    life.partition.tick(BEGIN + DAY)
    assert isinstance(life.partition.state, Case) is taken_back


def test_a_contract_without_the_deadline_says_nothing_of_it_and_goes_on() -> None:
    first = contracts().newest
    without = tuple(rule for rule in first.deadlines if rule.name != "rights_request")
    later = replace(first, valid_from=city("2026-04-01").date(), deadlines=without, digest=digest("later"))
    partition = Partition(Contracts([first, later]))
    concern(partition, BEGIN)
    screening(partition, BEGIN)
    request(partition, BEGIN)
    partition.tick(city("2026-03-31T12:00"))
    assert [due.deadline for due in partition.open.due] == ["rights_request"]
    partition.tick(LONG_AFTER)
    measure(partition, LONG_AFTER)
    assert partition.said("rights_request") == []
    assert isinstance(partition.state, Case)
    assert partition.state.due[-1].deadline == "first_follow_up"


def test_a_hold_keeps_the_case_and_its_deadlines_go_on() -> None:
    """The answered request would have erased it at once; what is due of a held case is said all the same."""
    life = running(RULES["rights_request"], article="17")
    hold = Hold(life.partition.case, rfc3339(BEGIN))
    life.partition.states.keep({hold_key(hold.held): Kept(state.encode(hold), None, "")})
    life.say(BEGIN + DAY, "sof", "rights-request-answered", request=life.started)
    second = life.say(BEGIN + DAY, "sof", "rights-request-received")
    for days in range(60):
        life.partition.tick(BEGIN + days * DAY)
    assert isinstance(life.partition.state, Case)
    assert [said.started for said in life.partition.said("rights_request")] == [second]


@pytest.mark.parametrize("claimed_anew", [False, True])
def test_a_shorter_term_of_a_new_contract_takes_hold_at_its_first_tick(*, claimed_anew: bool) -> None:
    """Of a case of which nobody says a word, whether or not the worker was started anew with it."""
    first = contracts().newest
    shorter = replace(first, valid_from=city("2026-06-01").date(), retention=_closed_for_a_month(first), digest="s")
    partition = Partition(Contracts([first, shorter]))
    concern(partition, BEGIN, age_band=ADULT)
    partition.ok(BEGIN, "ku", "concern-screened")
    partition.ok(BEGIN, "sof", "case-closed")
    partition.tick(city("2026-05-31T23:59"))
    assert isinstance(partition.state, Case)
    if claimed_anew:
        partition.states = States({partition.case: state.encode(partition.state)}, [first])
    partition.tick(city("2026-06-01T00:00"))
    assert isinstance(partition.state, Erased)


def _closed_for_a_month(contract: Contract) -> tuple[Retention, ...]:
    return tuple(replace(r, keep="1 month") if r.name == "closed_case" else r for r in contract.retention)


def test_a_longer_term_of_a_new_contract_keeps_what_the_old_one_would_have_erased() -> None:
    first = contracts().newest
    longer = tuple(replace(r, keep="5 years") if r.name == "closed_case" else r for r in first.retention)
    partition = Partition(
        Contracts([first, replace(first, valid_from=city("2026-06-01").date(), retention=longer, digest="l")])
    )
    concern(partition, BEGIN, age_band=ADULT)
    partition.ok(BEGIN, "ku", "concern-screened")
    partition.ok(BEGIN, "sof", "case-closed")
    for at in ("2026-05-01T12:00", "2026-09-03T00:00", "2031-03-02T23:59"):
        partition.tick(city(at))
        assert isinstance(partition.state, Case)
    partition.tick(city("2031-03-03T00:00"))
    assert isinstance(partition.state, Erased)
