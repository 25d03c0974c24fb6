"""The check of a chaos run can fail: each view that the policy does not allow is planted once, and found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from schemas import predicates, topics
from schemas.records import Inbound
from tests.chaos.findings import Flaw
from tests.chaos.found import headers_of
from tests.unit.chaos_runs import changed, checked, like, place_of, played, rewritten

View = dict[str, Any]


def _field_too_many(view: View) -> None:
    view["fields"]["age_band"] = "18_24"


def _reference_too_many(view: View) -> None:
    view["refs"]["person"] = "vault:00000000-0000-4000-8000-000000000000"


def _earlier_reference_too_many(view: View) -> None:
    view["case_refs"]["person"] = ["vault:00000000-0000-4000-8000-000000000000"]


def _other_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "screened-owner"


def _other_basis(view: View) -> None:
    view["grounds"][0]["basis"] = "because"


def _foreign_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "check-invited"


def _unknown_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "all"


def _no_ground(view: View) -> None:
    view["grounds"] = []


@pytest.mark.parametrize(
    "change",
    [
        _field_too_many,
        _reference_too_many,
        _earlier_reference_too_many,
        _other_rule,
        _foreign_rule,
        _other_basis,
        _unknown_rule,
        _no_ground,
    ],
)
def test_a_view_that_the_policy_does_not_allow_is_found(change: Callable[[View], None]) -> None:
    """By the policy's own text, beside the byte for byte comparison with the fold."""
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "ku", "concern-screened"))
    result = checked(replace(found, views=rewritten(found.views, at, change)))
    by_policy = [f for f in result.findings if f.flaw is Flaw.WRONGLY_DISCLOSED and "@" in f.where]
    assert by_policy
    assert result.by_flaw[Flaw.LOST] == 1  # and the view that was due is not there


@pytest.mark.parametrize("name", ["subject_is_child", "consent_covers"])
def test_a_gate_that_lets_everybody_pass_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though bus and fold agree, since both ask the same predicate: the check reads the policy's words itself."""
    monkeypatch.setattr(predicates, "PREDICATES", {**predicates.PREDICATES, name: lambda _: None})
    found, journals = played.__wrapped__()
    result = checked(found, journals)
    assert set(result.by_flaw) == {Flaw.WRONGLY_DISCLOSED}
    assert all(f" asks for {name}: " in finding.where for finding in result.findings)


@pytest.mark.parametrize("recipient", ["politi", "sikkerby", "suf"])
def test_a_view_for_whom_no_rule_means_is_found(recipient: str) -> None:
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "ku", "concern-screened"))
    stray = like(found.views[at], topic=topics.views(recipient), offset=1_000_000)
    result = checked(replace(found, views=(*found.views, stray)))
    where = [f.where for f in result.findings if "@" in f.where]
    assert set(result.by_flaw) == {Flaw.WRONGLY_DISCLOSED}
    assert any("does not mean this party" in text for text in where)
    assert any("may not hold" in text for text in where) == (recipient == "sikkerby")


def test_a_count_of_few_people_is_found() -> None:
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "pet", "prevention-activity-held"))
    views = rewritten(found.views, at, lambda view: view["fields"].update(participants=4))
    assert "field participants" in str(checked(replace(found, views=views)).findings)


def test_a_view_of_nothing_in_the_log_is_found() -> None:
    found, _ = played()
    headers = tuple(
        (name, b"00000000-0000-4000-8000-000000000000" if name == "ce_causationid" else raw)
        for name, raw in found.views[0].headers
    )
    result = checked(replace(found, views=changed(found.views, 0, headers=headers)))
    assert "of nothing in the log" in str(result.findings)


def _is_view_of(record: Inbound, recipient: str, type_: str) -> bool:
    return record.topic == topics.views(recipient) and headers_of(record)["ce_type"] == f"dk.samspil.{type_}.v1"
