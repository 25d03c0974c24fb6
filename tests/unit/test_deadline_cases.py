"""Each deadline of the policy: met, missed, superseded, and over before it could begin. Told to two alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.deadline_lives import (
    BEGIN,
    DAY,
    EACH,
    INSTANT,
    LONG_AFTER,
    RULES,
    Life,
    Rule,
    city,
    concern,
    measure,
    request,
    running,
)
from tests.unit.partition import Partition
from tests.unit.sayings import ADULT, ONE, OTHER
from tests.wire import contracts


def test_these_are_the_deadlines_of_the_policy() -> None:
    assert RULES.keys() == contracts().newest.deadline.keys()


@EACH
def test_a_missed_one_is_said_once_to_who_answers_for_it_and_to_ku(rule: Rule) -> None:
    life = running(rule)
    life.partition.tick(rule.due - INSTANT)
    assert life.partition.said(rule.name) == []
    for late in (timedelta(0), DAY, 9 * DAY):
        life.partition.tick(rule.due + late)
    [said] = life.partition.said(rule.name)
    assert datetime.fromisoformat(said.due_at) == rule.due
    assert (said.started, said.responsible) == (life.started, rule.responsible)
    assert said.told == tuple(sorted({"ku", rule.responsible}))


@EACH
def test_without_a_tick_it_is_said_before_the_next_event(rule: Rule) -> None:
    ticked, untouched = running(rule).partition, running(rule).partition
    ticked.tick(rule.due)
    for partition in (ticked, untouched):
        concern(partition, rule.due + DAY)
    assert untouched.said(rule.name) == ticked.said(rule.name) != []
    types = [said.type for said in untouched.open.said.values()]
    assert types[-2:] == ["deadline-passed", "concern-raised"]


def _receipt(life: Life, now: datetime) -> None:
    life.say(now, "sof", "notifier-receipted", concern=life.started)


def _screened(life: Life, now: datetime) -> None:
    life.say(now, "sof", "concern-screened")


def _met(life: Life, now: datetime) -> None:
    life.say(BEGIN, "ku", "meeting-scheduled", meeting=OTHER)
    life.say(now, "ku", "meeting-held", meeting=OTHER)


def _followed_up(life: Life, now: datetime) -> None:
    life.say(now, "sof", "follow-up-held")


def _answered(type_: str, party: str) -> Callable[[Life, datetime], None]:
    def answer(life: Life, now: datetime) -> None:
        life.say(now, party, type_, transfer=ONE)

    return answer


def _rights_answered(life: Life, now: datetime) -> None:
    life.say(now, "sof", "rights-request-answered", request=life.started)


MEETS = [
    ("assessment_24h", _screened),
    ("notifier_receipt", _receipt),
    ("coordination_meeting", _met),
    ("first_follow_up", _followed_up),
    ("follow_up", _followed_up),
    ("transfer", _answered("transfer-accepted", "buf")),
    ("transfer", _answered("transfer-declined", "buf")),
    ("transfer", _answered("transfer-cancelled", "sof")),
    ("rights_request", _rights_answered),
]
MET = pytest.mark.parametrize(("name", "meet"), MEETS)


@MET
def test_one_that_was_met_in_the_last_instant_is_never_said(name: str, meet: Callable[[Life, datetime], None]) -> None:
    life = running(RULES[name])
    meet(life, RULES[name].due - INSTANT)
    life.partition.tick(LONG_AFTER)
    assert life.partition.said(name) == []


@MET
def test_one_that_was_met_as_it_passed_was_missed(name: str, meet: Callable[[Life, datetime], None]) -> None:
    life = running(RULES[name])
    meet(life, RULES[name].due)
    life.partition.tick(LONG_AFTER)
    assert [said.started for said in life.partition.said(name)] == [life.started]


@EACH
def test_one_that_was_over_when_its_event_was_accepted_is_never_said(rule: Rule) -> None:
    late, in_time = running(rule, rule.due).partition, running(rule, rule.due - INSTANT).partition
    for partition in (late, in_time):
        partition.tick(LONG_AFTER)
    assert late.said(rule.name) == []
    assert len(in_time.said(rule.name)) == 1


@pytest.mark.parametrize(("name", "field"), [("transfer", "due"), ("follow_up", "next_due")])
def test_a_day_that_is_over_already_is_no_deadline(name: str, field: str) -> None:
    day: dict[str, Any] = {field: "2026-03-01"}
    life = running(RULES[name], **day)
    life.partition.tick(LONG_AFTER)
    assert life.partition.said(name) == []


# Superseded: who answers for it is another, or nobody can any more.


def _handed_over(life: Life, now: datetime) -> None:
    life.say(now, "sof", "transfer-initiated", transfer=OTHER, to="buf", due="2026-12-01")
    life.say(now, "buf", "transfer-accepted", transfer=OTHER)


@pytest.mark.parametrize("name", ["first_follow_up", "follow_up", "rights_request"])
def test_a_new_owner_answers_for_what_the_old_one_left(name: str) -> None:
    life = running(RULES[name])
    _handed_over(life, RULES[name].due - INSTANT)
    life.partition.tick(RULES[name].due)
    [said] = life.partition.said(name)
    assert (said.responsible, said.told) == ("buf", ("buf", "ku"))


@pytest.mark.parametrize("name", ["first_follow_up", "follow_up", "rights_request"])
def test_who_owned_it_as_it_passed_answers_for_it(name: str) -> None:
    life = running(RULES[name])
    _handed_over(life, RULES[name].due)
    [said] = life.partition.said(name)
    assert (said.responsible, said.told) == ("sof", ("ku", "sof"))


@pytest.mark.parametrize("name", ["notifier_receipt", "coordination_meeting"])
def test_what_the_policy_gives_a_party_by_name_does_not_move_with_the_case(name: str) -> None:
    life = running(RULES[name])
    if name == "notifier_receipt":
        _screened(life, BEGIN)
    _handed_over(life, BEGIN + DAY)
    life.partition.tick(RULES[name].due)
    [said] = life.partition.said(name)
    assert said.responsible == RULES[name].responsible
    assert said.told == tuple(sorted({"ku", said.responsible}))


@pytest.mark.parametrize(("type_", "party"), [("transfer-cancelled", "sof"), ("transfer-declined", "buf")])
def test_of_two_transfers_the_one_that_was_called_off_is_not_said(type_: str, party: str) -> None:
    life = running(RULES["transfer"])
    life.say(BEGIN + DAY, party, type_, transfer=ONE)
    second = life.say(BEGIN + DAY, "sof", "transfer-initiated", transfer=OTHER, to="suf", due="2026-05-31")
    life.partition.tick(LONG_AFTER)
    [said] = life.partition.said("transfer")
    assert (said.started, said.told) == (second, ("ku", "suf"))


@pytest.mark.parametrize("name", ["coordination_meeting", "first_follow_up", "follow_up"])
def test_a_closed_case_is_late_with_nothing_that_it_cannot_do_any_more(name: str) -> None:
    life = running(RULES[name])
    life.say(BEGIN + DAY, "sof", "case-closed")
    life.partition.tick(LONG_AFTER)
    assert life.partition.said(name) == []


def test_a_concern_that_was_rejected_needs_no_receipt_on_time() -> None:
    life = running(RULES["notifier_receipt"])
    life.say(BEGIN + DAY - INSTANT, "sof", "concern-screened", outcome="close")
    life.partition.tick(LONG_AFTER)
    assert life.partition.passed == []


def test_a_request_is_to_be_answered_in_a_closed_case_too() -> None:
    life = running(RULES["rights_request"])
    life.say(BEGIN + DAY, "sof", "case-closed")
    second = life.say(BEGIN + 2 * DAY, "sof", "rights-request-received")
    life.partition.tick(RULES["rights_request"].due + 10 * DAY)
    assert [said.started for said in life.partition.said("rights_request")] == [life.started, second]


def test_another_outcome_needs_no_meeting_and_the_same_gives_no_more_time() -> None:
    again, other = running(RULES["coordination_meeting"]), running(RULES["coordination_meeting"])
    again.say(BEGIN + 9 * DAY, "sof", "concern-screened")
    other.say(BEGIN + 9 * DAY, "sof", "concern-screened", outcome="own_administration")
    for life in (again, other):
        life.partition.tick(LONG_AFTER)
    assert [said.started for said in again.partition.said("coordination_meeting")] == [again.started]
    assert other.partition.said("coordination_meeting") == []


def test_the_next_follow_up_takes_the_place_of_the_last() -> None:
    life = running(RULES["follow_up"])
    second = life.say(BEGIN + DAY, "sof", "follow-up-held", next_due="2026-05-15")
    life.partition.tick(LONG_AFTER)
    [said] = life.partition.said("follow_up")
    assert (said.started, datetime.fromisoformat(said.due_at)) == (second, city("2026-05-16T00:00"))


def test_one_follow_up_is_that_of_every_measure() -> None:
    life = running(RULES["first_follow_up"])
    measure(life.partition, BEGIN + DAY)
    _followed_up(life, BEGIN + 2 * DAY)
    third = measure(life.partition, BEGIN + 3 * DAY)
    life.partition.tick(LONG_AFTER)
    assert [said.started for said in life.partition.said("first_follow_up")] == [third]


@pytest.mark.parametrize("name", [name for name in RULES if name != "transfer"])
@pytest.mark.parametrize(("reason", "stands"), [("withdrawn", False), ("wrong_subject", False), ("wrong_fact", True)])
def test_what_was_taken_back_is_due_no_more(name: str, reason: str, *, stands: bool) -> None:
    life = running(RULES[name])
    party = life.partition.open.said[life.started].party
    life.say(BEGIN + timedelta(hours=1), party, "correction-issued", corrects=life.started, reason=reason)
    life.partition.tick(RULES[name].due)
    assert bool(life.partition.said(name)) is stands


def test_a_transfer_that_was_taken_back_still_waits_for_its_answer() -> None:
    life = running(RULES["transfer"])
    life.say(BEGIN + DAY, "sof", "correction-issued", corrects=life.started, reason="withdrawn")
    life.partition.tick(LONG_AFTER)
    assert len(life.partition.said("transfer")) == 1


# What is about another does not meet it.


def test_a_receipt_is_of_one_concern() -> None:
    life = running(RULES["notifier_receipt"])
    second = concern(life.partition, BEGIN)
    life.say(BEGIN + DAY, "sof", "notifier-receipted", concern=second)
    life.partition.tick(LONG_AFTER)
    assert [said.started for said in life.partition.said("notifier_receipt")] == [life.started]


def test_an_answer_is_to_one_request() -> None:
    life = running(RULES["rights_request"])
    second = request(life.partition, BEGIN)
    life.say(BEGIN + DAY, "sof", "rights-request-answered", request=second)
    life.partition.tick(LONG_AFTER)
    assert [said.started for said in life.partition.said("rights_request")] == [life.started]


@pytest.mark.parametrize("type_", ["transfer-accepted", "transfer-declined"])
def test_a_transfer_may_have_the_id_of_an_event(type_: str) -> None:
    """Publishers choose both: by chance or carelessness they are the same."""
    life = running(RULES["coordination_meeting"])
    life.say(BEGIN, "sof", "transfer-initiated", transfer=life.started, to="buf", due="2026-04-30")
    life.say(BEGIN + DAY, "buf", type_, transfer=life.started)
    life.partition.tick(LONG_AFTER)
    assert life.partition.said("transfer") == []


def test_an_adult_has_no_24_hours_and_no_receipt_on_time() -> None:
    partition = Partition()
    concern(partition, BEGIN, age_band=ADULT)
    partition.tick(LONG_AFTER)
    assert partition.passed == []
