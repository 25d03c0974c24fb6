"""What the overview says is waited for: missed deadlines, recalls and a legal hold, whatever arrived first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import contract_files
from schemas.danish_words import DEADLINES
from schemas.overview import CaseRow, counts, row
from schemas.overview_facts import PASSED, Item, Stage
from schemas.overview_waits import HOLD, MET_BY, RECALLS, RECORDED, Missed, Recall
from tests import wire

CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
START = datetime(2026, 3, 2, 11, tzinfo=UTC)


def hours(number: float) -> datetime:
    return START + timedelta(hours=number)


def item(number: int, type_: str, party: str = "sof", at: float | None = None, **fields: Any) -> Item:
    """Make a view, the `number`th of ku's."""
    return Item(f"event-{number}", type_, party, hours(number if at is None else at), number, fields)


def own(number: int, type_: str, recorded: float, **fields: Any) -> Item:
    """Make an event of ku's own, which stands in another topic: its place says nothing here."""
    said = fields | {RECORDED: hours(recorded).isoformat()}
    return Item(f"event-{number}", type_, "ku", hours(number), 0, said)


def passed(number: int, deadline: str, responsible: str = "sof", due: float | None = None) -> Item:
    at = hours(number if due is None else due).isoformat()
    return item(number, PASSED, "bus", deadline=deadline, due_at=at, responsible=responsible)


def folded(*items: Item) -> CaseRow:
    result = row(CASE, items)
    assert result is not None
    return result


CONCERN = item(0, "concern-raised", "buf")
LATE = passed(24, "assessment_24h")
SCREENED = item(30, "concern-screened", outcome="coordinate", owner="sof")
NO_MEETING = passed(400, "coordination_meeting", "ku")
HELD = own(401, "meeting-held", 401, meeting="m1")
CORRECTION = item(402, "correction-issued", "buf", corrects="event-0", reason="wrong_subject")
RECALLED = Item(RECALLS, RECALLS, "bus", START, 7, {"waiting": {"event-402": ["politi", "ku"], "event-9": ["sof"]}})
STOPPED = Item(HOLD, HOLD, "bus", hours(500), 3)
CLOSED = item(600, "case-closed", outcome="resolved")
STORY = (CONCERN, LATE, SCREENED, NO_MEETING, HELD, CORRECTION, RECALLED, STOPPED, CLOSED)


@given(st.permutations(STORY), st.integers(0, len(STORY)))
def test_any_order_of_arrival_gives_the_same_row(shuffled: list[Item], told: int) -> None:
    so_far = shuffled[:told]
    assert row(CASE, so_far) == row(CASE, sorted(so_far, key=STORY.index))


def test_a_missed_deadline_is_named_with_its_day_and_who_answers_for_it() -> None:
    assert folded(CONCERN, LATE).missed == (Missed("assessment_24h", hours(24), "sof"),)
    assert folded(CONCERN, LATE).body()["missed"] == [
        {"deadline": "assessment_24h", "due": "2026-03-03T11:00:00Z", "responsible": "sof"}
    ]


def test_a_deadline_that_passes_is_no_answer() -> None:
    told = folded(CONCERN, LATE)
    assert (told.stage, told.since) == (Stage.NEW, CONCERN.time)


@pytest.mark.parametrize(("deadline", "answer"), [(name, type_) for name, types in MET_BY.items() for type_ in types])
def test_what_meets_a_deadline_afterwards_ends_it(deadline: str, answer: str) -> None:
    fields: dict[str, Any] = {"outcome": "coordinate", "owner": "sof", "meeting": "m", "transfer": "t"}
    met = item(31, answer, **fields)
    assert folded(CONCERN, passed(30, deadline), met).missed == ()
    assert folded(CONCERN, met, passed(32, deadline)).missed != ()
    assert folded(CONCERN, own(31, answer, 31, **fields), passed(30, deadline)).missed == ()
    assert folded(CONCERN, own(29, answer, 29, **fields), passed(30, deadline)).missed != ()


def test_an_answer_that_its_publisher_dates_before_the_deadline_still_came_after_it() -> None:
    early = item(30, "concern-screened", at=1, outcome="coordinate", owner="sof")
    assert folded(CONCERN, LATE, early).missed == ()
    own_early = own(1, "concern-screened", 30, outcome="coordinate", owner="sof")
    assert folded(CONCERN, LATE, own_early).missed == ()


def test_what_is_taken_at_the_very_instant_comes_too_late_and_so_meets_what_was_missed() -> None:
    assert folded(CONCERN, LATE, own(24, "concern-screened", 24, outcome="advise", owner="sof")).missed == ()


def test_one_deadline_met_leaves_the_others_and_the_oldest_stands_first() -> None:
    receipt = passed(160, "notifier_receipt")
    assert [one.deadline for one in folded(receipt, CONCERN, LATE).missed] == ["assessment_24h", "notifier_receipt"]
    assert [one.deadline for one in folded(receipt, CONCERN, LATE, SCREENED).missed] == ["notifier_receipt"]


def test_a_deadline_that_a_later_contract_knows_is_shown_until_the_case_is_closed() -> None:
    later = passed(30, "something_new", "kff")
    assert [one.deadline for one in folded(CONCERN, later, SCREENED).missed] == ["something_new"]
    assert folded(CONCERN, later, CLOSED).missed == ()


def test_a_closed_case_has_missed_nothing_but_its_recalls_and_its_hold_stay() -> None:
    told = folded(CONCERN, LATE, CORRECTION, RECALLED, STOPPED, CLOSED)
    assert (told.missed, len(told.recalls), told.hold) == ((), 1, hours(500))


def test_a_recall_names_who_has_not_acknowledged_of_corrections_that_ku_knows() -> None:
    told = folded(CONCERN, CORRECTION, RECALLED)
    assert told.recalls == (Recall("event-402", "wrong_subject", ("ku", "politi")),)
    assert told.body()["recalls"] == [
        {"correction": "event-402", "reason": "wrong_subject", "waiting": ["ku", "politi"]}
    ]
    assert folded(CONCERN, RECALLED).recalls == ()


def test_a_hold_says_since_when() -> None:
    assert folded(CONCERN, STOPPED).body()["hold"] == "2026-03-23T07:00:00Z"
    assert folded(CONCERN).body()["hold"] is None


def test_what_only_a_state_says_shows_no_case_and_dates_none() -> None:
    assert row(CASE, [RECALLED, STOPPED]) is None
    told = folded(CONCERN, RECALLED, STOPPED)
    assert (told.opened, told.since, told.changed, told.stage) == (CONCERN.time,) * 3 + (Stage.NEW,)


def test_an_erased_case_has_no_row_whatever_was_missed_or_held() -> None:
    assert row(CASE, [*STORY, item(700, "case-erased", "bus")]) is None


def test_missed_deadlines_are_counted_also_where_a_row_was_written_before_there_were_any() -> None:
    bodies = [folded(CONCERN, LATE, passed(160, "notifier_receipt")).body(), folded(CONCERN, LATE).body()]
    before = {"stage": "new", "handover": None}
    assert counts([*bodies, before])["missed"] == 3


def test_what_meets_a_deadline_is_what_every_contract_says_and_each_has_its_danish_name() -> None:
    for contract in contract_files.load_all(wire.POLICIES).all:
        met = {rule.name: frozenset(rule.met_by) for rule in contract.deadline.values()}
        assert met == {name: MET_BY[name] for name in met}
        assert met.keys() <= DEADLINES.keys()
