"""What events add to the counts, told by a whole scenario and by single ones; nothing of it links to a case."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest

from consumers.statistics import danish, publication
from consumers.statistics.network import Key
from consumers.statistics.projection import logged
from consumers.statistics.release import LEAST_FOR_MEDIAN, Kept, median, release
from consumers.statistics.tables import POPULATIONS, STRETCHES
from consumers.statistics.tally import Added, Count, Logged, Memory, Wait, tally
from deploy.yearly_release import _require_over
from schemas import topics
from schemas.errors import UsageError
from schemas.records import Inbound
from tests import wire


def _event(type_: str, at: str, **data: Any) -> Logged:
    return Logged(type_, data, f"{at}T11:00:00.000000Z")


def _told(*events: Logged) -> tuple[Memory, list[Added]]:
    memory = Memory()
    found: list[Added] = []
    for event in events:
        memory, added = tally(memory, event)
        found += added
    return memory, found


def _keys(added: list[Added], population: str) -> list[tuple[int, Key]]:
    return [(one.year, one.key) for one in added if isinstance(one, Count) and one.population == population]


RAISED = _event("concern-raised", "2026-03-02", source_type="school", age_band="15_17")


def test_a_case_is_raised_screened_and_closed_once() -> None:
    _, added = _told(
        RAISED,
        _event("concern-raised", "2026-03-03", source_type="police", age_band="18_24"),
        _event("concern-screened", "2026-03-05", outcome="advise"),
        _event("concern-screened", "2026-04-05", outcome="coordinate"),
        _event("case-closed", "2026-05-05", outcome="resolved"),
        _event("case-closed", "2026-05-06", outcome="moved"),
    )
    assert _keys(added, "raised") == [(2026, ("source_type", "school")), (2026, ("age_band", "15_17"))]
    assert _keys(added, "screened") == [
        (2026, ("age_band", "18_24", "outcome", "advise")),
        (2026, ("outcome", "advise", "source_type", "school")),
    ]
    assert _keys(added, "closed") == [(2026, ("outcome", "resolved"))]
    assert [one for one in added if isinstance(one, Wait)] == [Wait(2026, "screening", 3)]


def test_what_comes_several_times_counts_once_a_year_under_each_value() -> None:
    def meeting(number: str, at: str, forum: str) -> tuple[Logged, Logged]:
        return _event("meeting-scheduled", at, meeting=number, forum=forum), _event("meeting-held", at, meeting=number)

    _, added = _told(
        RAISED,
        *meeting("1", "2026-03-10", "ssp"),
        *meeting("2", "2026-03-20", "ssp"),
        *meeting("3", "2026-04-10", "ssd"),
        *meeting("4", "2027-01-10", "ssp"),
    )
    assert _keys(added, "meetings") == [(2026, ("forum", "ssp")), (2026, ("forum", "ssd")), (2027, ("forum", "ssp"))]
    assert [one for one in added if isinstance(one, Wait)] == [Wait(2026, "meeting", 8)]


def test_the_year_and_the_days_are_the_citys() -> None:
    late = Logged("concern-raised", {"source_type": "school", "age_band": "15_17"}, "2026-12-31T23:30:00.000000Z")
    _, added = _told(late, Logged("concern-screened", {"outcome": "advise"}, "2027-01-01T01:00:00.000000Z"))
    assert {one.year for one in added} == {2027}
    assert [one.days for one in added if isinstance(one, Wait)] == [0]


def test_outside_cases_each_is_counted_and_what_is_unknown_is_not() -> None:
    activity = _event("prevention-activity-held", "2026-03-02", area="knowledge", kind="research", participants=3)
    memory, added = _told(activity, activity, _event("conversation-held", "2026-03-02", outcome="continued"))
    assert memory == Memory()
    assert _keys(added, "activities") == [(2026, ("area", "knowledge")), (2026, ("kind", "research"))] * 2
    screened = _event("concern-screened", "2026-03-02", outcome="advise")
    assert _told(screened, _event("meeting-held", "2026-03-02", meeting="1"))[1] == []


def test_the_scenario_is_counted_without_a_word_of_its_cases() -> None:
    judged = wire.judged(wire.contracts().newest, wire.scenario())
    told = [record for records in wire.outputs(judged) for record in records]
    memories: dict[str, Memory] = {}
    populations = set()
    for record in (record for record in told if record.topic == topics.LOG):
        event = logged(Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers))
        case = dict(record.headers).get("ce_subject", b"").decode()
        memories[case], added = tally(memories.get(case, Memory()), event)
        for one in added:
            text = repr(asdict(one))
            assert not [other for other in memories if other and other in text]
            populations.add(one.population if isinstance(one, Count) else one.stretch)
    assert {"raised", "screened", "meetings", "measures", *STRETCHES} <= populations


def test_a_median_needs_as_many_as_are_rounded_to_fifteen() -> None:
    assert median({3: LEAST_FOR_MEDIAN - 1}) is None
    assert median({3: LEAST_FOR_MEDIAN}) == 3
    assert median({2: 7, 3: 7}) == 3  # two and a half
    assert median({0: 20, 366: 1}) == 0


@pytest.mark.parametrize("now", ["2026-06-01T00:00:00Z", "2027-01-01T22:59:59Z"])
def test_a_year_that_is_not_over_for_a_day_is_not_released(now: str) -> None:
    with pytest.raises(UsageError):
        _require_over(2026, datetime.fromisoformat(now))
    _require_over(2026, datetime.fromisoformat("2027-01-01T23:00:00Z"))  # the city's second of January


def test_every_word_of_a_release_has_its_danish() -> None:
    assert danish.TITLES.keys() == {one.name for one in POPULATIONS}
    assert danish.STRETCHES.keys() == set(STRETCHES)
    dimensions = [dimension for one in POPULATIONS for dimension in one.dimensions]
    assert danish.DIMENSIONS.keys() == {dimension.name for dimension in dimensions}
    assert danish.VALUES.keys() == {value for dimension in dimensions for value in dimension.values}


@pytest.mark.parametrize("number", [0, 4, 5, 23])
def test_page_and_rows_show_what_the_record_says_and_no_more(number: int) -> None:
    kept: Kept = {"exits": {(): number}, "meetings": {("forum", "ssp"): number}}
    body = release(2026, kept, {"screening": {4: number}})
    shown, page, rows = {0: "", 4: "", 5: "5", 23: "25"}[number], publication.page(body), publication.rows(body)
    assert f"2026,exits,,,,,{shown}\r\n" in rows
    assert f"2026,meetings,forum,ssp,,,{shown}\r\n" in rows
    assert f"2026,median_days,until,screening,,,{4 if number == 23 else ''}\r\n" in rows
    cell = shown or '<span aria-hidden="true">..</span><span class="aside">skjult</span>'
    told = f'<th scope="row">SSP</th><td>{cell}</td>' in page
    assert told is bool(shown)  # a population of which nothing can be shown has a sentence instead of a table
    assert ("Der er for få" in page) is True
    assert release(2026, kept, {"screening": {4: number}}) == body
