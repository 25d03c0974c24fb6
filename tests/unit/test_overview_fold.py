"""The overview's fold: the process told in any order gives the same row."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.overview import KEPT, CaseRow, counts, row
from schemas.overview_facts import Item, Stage, moment

CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
START = datetime(2026, 3, 2, 11, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "deploy" / "policies" / "2026-01-01"


def item(number: int, type_: str, party: str = "sof", **fields: Any) -> Item:
    return Item(f"event-{number}", type_, party, START + timedelta(hours=number), number, fields)


def folded(*items: Item) -> CaseRow:
    result = row(CASE, items)
    assert result is not None
    return result


CONCERN = item(0, "concern-raised", "buf")
SCREENED = item(2, "concern-screened", outcome="coordinate", owner="sof")
MEETING = item(3, "meeting-scheduled", "ku", meeting="m1", starts_at="2026-03-10T09:00:00+01:00")
HELD = item(4, "meeting-held", "ku", meeting="m1")
MEASURE = item(5, "measure-started", measure="i1")
ENDED = item(6, "measure-ended", measure="i1")
TRANSFER = item(7, "transfer-initiated", transfer="t1", to="bif", due="2026-04-01")
ACCEPTED = item(8, "transfer-accepted", "bif", transfer="t1")
CLOSED = item(9, "case-closed", "bif", outcome="resolved")
STORY = (CONCERN, SCREENED, MEETING, HELD, MEASURE, ENDED, TRANSFER, ACCEPTED, CLOSED)


@pytest.mark.parametrize(
    ("told", "stage"),
    [
        (STORY[:1], Stage.NEW),
        ((CONCERN, item(1, "notifier-receipted")), Stage.AWAITING),
        (STORY[:2], Stage.COORDINATED),
        ((CONCERN, item(1, "concern-screened", outcome="advise", owner="sof")), Stage.SCREENED),
        ((CONCERN, item(1, "concern-screened", outcome="police_only", owner="sof")), Stage.SCREENED),
        ((CONCERN, item(1, "concern-screened", outcome="close", owner="sof")), Stage.CLOSED),
        (STORY[:5], Stage.MEASURE),
        (STORY[:6], Stage.COORDINATED),
        (STORY, Stage.CLOSED),
        ((item(0, "relative-support-started", "vink"),), Stage.MEASURE),
        ((item(0, "something-new", "sof"),), Stage.AWAITING),
    ],
)
def test_the_stage_follows_the_process(told: tuple[Item, ...], stage: Stage) -> None:
    assert folded(*told).stage is stage


@given(st.permutations(STORY), st.integers(0, len(STORY)))
def test_any_order_of_arrival_gives_the_same_row(shuffled: list[Item], told: int) -> None:
    so_far = shuffled[:told]
    assert row(CASE, so_far) == row(CASE, sorted(so_far, key=lambda item: item.place))


def test_a_row_says_who_since_when_and_what_waits() -> None:
    told = folded(*STORY[:3], MEASURE, TRANSFER)
    assert (told.owner, told.measures, told.meeting) == ("sof", 1, datetime(2026, 3, 10, 8, tzinfo=UTC))
    assert told.handover is not None
    assert (told.handover.to, told.handover.due, told.handover.since) == ("bif", "2026-04-01", TRANSFER.time)
    assert (told.opened, told.since, told.changed) == (CONCERN.time, MEASURE.time, TRANSFER.time)


def test_an_accepted_transfer_changes_the_owner_and_a_declined_one_does_not() -> None:
    assert folded(CONCERN, SCREENED, TRANSFER, ACCEPTED).owner == "bif"
    declined = folded(CONCERN, SCREENED, TRANSFER, item(8, "transfer-declined", "bif", transfer="t1"))
    assert (declined.owner, declined.handover) == ("sof", None)


def test_an_answer_that_its_publisher_dates_before_the_question_still_answers_it() -> None:
    early = Item("event-8", "transfer-accepted", "bif", START - timedelta(days=1), 8, {"transfer": "t1"})
    told = folded(CONCERN, SCREENED, TRANSFER, early)
    assert (told.owner, told.handover) == ("bif", None)


def test_of_two_screenings_at_one_time_the_later_in_the_log_counts() -> None:
    first = Item("z", "concern-screened", "ku", START, 4, {"outcome": "advise", "owner": "sof"})
    second = Item("a", "concern-screened", "ku", START, 5, {"outcome": "coordinate", "owner": "sof"})
    assert folded(second, CONCERN, first).stage is Stage.COORDINATED


def test_the_next_meeting_is_the_earliest_that_is_neither_held_nor_cancelled() -> None:
    later = item(4, "meeting-scheduled", "ku", meeting="m2", starts_at="2026-03-24T09:00:00Z")
    assert folded(CONCERN, SCREENED, MEETING, later).meeting == moment("2026-03-10T08:00:00Z")
    assert folded(CONCERN, SCREENED, MEETING, later, HELD).meeting == moment("2026-03-24T09:00:00Z")
    cancelled = item(5, "meeting-cancelled", "ku", meeting="m2")
    assert folded(CONCERN, SCREENED, MEETING, HELD, later, cancelled).meeting is None


def test_corrections_count_until_ku_has_acknowledged_them() -> None:
    correction = item(10, "correction-issued", "buf")
    others = item(11, "correction-acknowledged", "sof", correction="event-10")
    own = item(12, "correction-acknowledged", "ku", correction="event-10")
    assert folded(CONCERN, correction).corrections == 1
    assert folded(CONCERN, correction, others).corrections == 1
    assert folded(own, correction, CONCERN, others).corrections == 0
    assert folded(CONCERN, item(10, "correction-issued", "ku")).corrections == 0


def test_an_erased_case_and_a_case_without_items_have_no_row() -> None:
    assert row(CASE, [*STORY, item(3, "case-erased", "bus")]) is None
    assert row(CASE, []) is None


def test_counts_are_of_cases_by_stage_and_of_hand_overs() -> None:
    rows = [folded(*STORY[:n]).body() for n in (1, 1, 2, 8, 7)]
    assert counts(rows) == {
        "new": 2, "awaiting": 0, "screened": 0, "coordinated": 3, "measure": 0, "closed": 0,
        "handovers": 1, "missed": 0,
    }  # fmt: skip


def test_the_body_is_plain_json_with_instants_in_utc() -> None:
    body = folded(*STORY[:8]).body()
    assert body["opened"] == "2026-03-02T11:00:00Z"
    assert body["handover"] is None
    assert body["stage"] == "coordinated"


def test_every_kept_field_is_of_class_0_or_1_and_none_is_kept_that_ku_may_not_see() -> None:
    types = yaml.safe_load((POLICY / "catalogue.yaml").read_text())["types"]
    rules = yaml.safe_load((POLICY / "policy.yaml").read_text())["rules"]
    released = {rule["event"]: set(rule["release"]) for rule in rules if rule["to"] == "ku"}
    # Of a correction ku hears as a recipient of the event or as the case's owner: what every such rule releases.
    corrections = [set(rule["release"]) for rule in rules if rule["event"] == "correction-issued"]
    released["correction-issued"] = set.intersection(*corrections)
    for name, fields in KEPT.items():
        assert all(types[name]["data"][field][0] <= 1 for field in fields), name
        others = set(types[name]["publishers"]) - {"ku"}
        assert not others or set(fields) <= released[name], name
