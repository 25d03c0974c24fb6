"""The check of a chaos run can fail: each flaw of what publishers are told is planted once, and counted."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from schemas import contract_files, topics
from schemas.records import Inbound
from schemas.verdicts import Accepted, answer
from tests.chaos.findings import Flaw
from tests.chaos.fold import folded
from tests.chaos.found import headers_of
from tests.contracts import POLICIES
from tests.unit.chaos_runs import NEW_ID, checked, like, place_of, played, rewritten, without


def test_a_lost_answer_is_found() -> None:
    found, _ = played()
    at = place_of(found.refusals, lambda record: record.topic == topics.refusals("sof"))
    assert checked(replace(found, refusals=without(found.refusals, at))).by_flaw == {Flaw.LOST: 1}


def test_an_event_that_was_refused_for_no_reason_is_found() -> None:
    found, journals = played()
    sof = next(journal for journal in journals if journal.party == "sof")
    line = next(line for line in sof.lines if not line.sure and line.saying.type == "follow-up-held")
    journal = replace(sof, lines=tuple(replace(one, sure=True) if one is line else one for one in sof.lines))
    result = checked(found, [journal if one is sof else one for one in journals])
    assert [(f.flaw, f.where[:20]) for f in result.findings] == [(Flaw.LOST, "refused for no reaso")]


def test_an_answer_given_twice_is_found() -> None:
    found, _ = played()
    again = like(found.refusals[0], offset=1_000_000)
    assert checked(replace(found, refusals=(*found.refusals, again))).by_flaw == {Flaw.TWICE: 1}


def test_a_duplicate_of_nothing_is_found() -> None:
    found, _ = played()
    made_up = answer("sof", Accepted("00000000-0000-4000-8000-000000000000", duplicate=True), 99_999)
    record = Inbound(made_up.topic, 0, 1_000_000, made_up.key, made_up.value, made_up.headers)
    result = checked(replace(found, refusals=(*found.refusals, record)))
    assert result.by_flaw == {Flaw.LOST: 1, Flaw.WRONGLY_DISCLOSED: 1}


def test_an_answer_told_to_another_party_is_found() -> None:
    found, _ = played()
    for party in ("politi", "ku"):  # who says nothing in the run, and who does
        stray = like(found.refusals[0], topic=topics.refusals(party), offset=1_000_000, headers=())
        result = checked(replace(found, refusals=(*found.refusals, stray)))
        assert result.by_flaw == {Flaw.WRONGLY_DISCLOSED: 1}, party


def _another_reason(body: dict[str, Any]) -> None:
    body["reason"] = "internal"


def _another_path(body: dict[str, Any]) -> None:
    body["paths"] = ["/data/held_on"]


def _a_value(body: dict[str, Any]) -> None:
    body["note"] = "Anna"


@pytest.mark.parametrize("change", [_another_reason, _another_path, _a_value])
def test_an_answer_that_does_not_follow_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    found, _ = played()
    at = place_of(found.refusals, lambda record: json.loads(record.value or b"")["verdict"] == "refused")
    assert checked(replace(found, refusals=rewritten(found.refusals, at, change))).by_flaw[Flaw.ALTERED] == 1


def test_an_answer_follows_from_what_the_case_was_then() -> None:
    """Not from an earlier state, as a bus that had forgotten something would give it."""
    found, journals = played()
    fold = folded(found.log, contract_files.load_all(POLICIES))
    closed = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.case-closed.v1")
    case = headers_of(found.log[closed])["ce_subject"]
    said = (line.saying for journal in journals for line in journal.lines)
    later = next(one for one in said if (one.case, one.type) == (case, "follow-up-held")).known_as(NEW_ID)
    assert {verdict.reason for verdict in fold.answers(later, 1_000_000)} == {"case_closed"}  # type: ignore[union-attr]
    of_any_time = {verdict.reason for verdict in fold.answers(later, None)}  # type: ignore[union-attr]
    assert {"unknown_case", "case_closed"} <= of_any_time


def test_an_answer_that_names_no_place_is_found() -> None:
    """Only what the gateway refuses has none."""
    found, _ = played()
    of_sof = place_of(found.refusals, lambda record: record.topic == topics.refusals("sof"))
    again = like(found.refusals[of_sof], offset=1_000_000, headers=())
    assert checked(replace(found, refusals=(*found.refusals, again))).by_flaw == {Flaw.ALTERED: 1}
