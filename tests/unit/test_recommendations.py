"""The city's five areas and fifteen recommendations: each has its events, and what was rejected has none.

Copenhagen's decision of 25 August 2015 on the recommendations of its expert group. What is said of a recommendation
is taken by the bus and shown to somebody: a type of event that nobody could say or see would be no answer to it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schemas import admission, check
from schemas.contract import Contract
from schemas.field_type import field_type
from tests.guards import Guards, altered, with_type, without_rules
from tests.unit import bus_words
from tests.unit.sayings import ONE, OTHER, OTHER_CASE, Talk, views
from tests.unit.scenarios import Bus, Heard, contract

HELD = Guards()
ACTIVITY = "prevention-activity-held"
AREAS = {"coordination", "preventive", "anticipatory", "intervening", "knowledge"}

COORDINATION = (
    "concern-raised child-notification-forwarded notifier-receipted concern-screened meeting-scheduled "
    "register-check-requested register-check-answered meeting-held follow-up-held case-closed"
)
# Area, recommendation, and what is said of it: types of events, or kinds of activities.
RECOMMENDATIONS = (
    ("coordination", "coordination unit with an overview", COORDINATION),
    ("coordination", "communication strategy", "communication"),
    ("preventive", "citizenship", "citizenship"),
    ("preventive", "associations and local actors", "association"),
    ("preventive", "critical sense and social media", "media_literacy"),
    ("anticipatory", "system transfers", "transfer-initiated transfer-accepted"),
    ("anticipatory", "parents and relatives", "relative-support-started parent_course"),
    ("anticipatory", "marginalised young", "conversation-held measure-started outreach"),
    ("anticipatory", "health staff", "staff_training concern-raised"),
    ("anticipatory", "housing companies", "concern-raised housing_info"),
    ("anticipatory", "relevant cities", "conference_dk conference_nordic"),
    ("anticipatory", "violence-hit, traumatised refugee families", "child-notification-forwarded measure-started"),
    ("anticipatory", "radicalised milieus", "conversation-held relative-support-started outreach"),
    (
        "intervening",
        "exit, vulnerable, returnees",
        "consent-recorded measure-started measure-ended exit-enrolled transfer-initiated",
    ),
    ("knowledge", "knowledge and analysis", "research policy"),
)
STORY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("ku", "child-notification-forwarded", {}),
    ("ku", "meeting-scheduled", {"meeting": ONE}),
    ("ku", "register-check-requested", {"meeting": ONE}),
    ("buf", "register-check-answered", {"meeting": ONE}),
    ("ku", "meeting-held", {"meeting": ONE}),
    ("sof", "conversation-held", {}),
    ("sof", "consent-recorded", {"consent": OTHER, "scope": ["measure", "exit"], "recipients": ["vink", "ekp"]}),
    ("sof", "measure-started", {"measure": ONE}),
    ("sof", "follow-up-held", {}),
    ("sof", "measure-ended", {"measure": ONE}),
    ("vink", "exit-enrolled", {}),
    ("sof", "transfer-initiated", {"transfer": ONE, "kind": "returnee"}),
    ("buf", "transfer-accepted", {"transfer": ONE}),
    ("buf", "case-closed", {}),
)


def _told(given: Contract) -> Iterator[tuple[str, Heard]]:
    """Tell a case from its concern to its end, a relative's, and an activity of each kind."""
    talk = Talk(Bus(given))
    yield "concern-raised", talk.say("bolig-nord", "concern-raised")
    yield "notifier-receipted", talk.say("sof", "notifier-receipted", concern=next(iter(talk.state.said), ONE))
    yield "concern-screened", talk.say("sof", "concern-screened")
    yield from ((type_, talk.say(party, type_, **data)) for party, type_, data in STORY)
    yield "relative-support-started", Talk(Bus(given), OTHER_CASE).say("vink", "relative-support-started")
    for kind in field_type(given.types[ACTIVITY].fields["kind"].type).values:
        yield kind, Talk(Bus(given)).say("vink", ACTIVITY, kind=kind)


def _fewer_kinds(given: Contract) -> Contract:
    """Forget that there are activities for associations."""
    kind = given.types[ACTIVITY].fields["kind"]
    fields = {**given.types[ACTIVITY].fields, "kind": replace(kind, type=kind.type.replace("association, ", ""))}
    return with_type(ACTIVITY, fields=fields)(given)


@HELD.check(
    somebody_says_it=altered(with_type("exit-enrolled", publishers=("pet",))),
    somebody_sees_it=altered(without_rules("talk-owner", "talk-ku")),
    kind=altered(_fewer_kinds),
)
def each_recommendation_has_its_events(given: Contract) -> None:
    """Everything that is said of the fifteen recommendations is taken, and somebody sees it."""
    seen = {name for name, heard in _told(given) if heard.decision and views(heard)}
    missing = {name: {*words.split()} - seen for _, name, words in RECOMMENDATIONS if {*words.split()} - seen}
    assert not missing
    assert len(RECOMMENDATIONS) == 15


@HELD.check(
    area=altered(
        with_type(
            ACTIVITY,
            fields={
                name: replace(field, type=field.type.replace(", knowledge", ""))
                for name, field in contract().types[ACTIVITY].fields.items()
            },
        )
    )
)
def each_area_has_its_activities(given: Contract) -> None:
    """An activity is of one of the five areas."""
    assert {area for area, _, _ in RECOMMENDATIONS} == AREAS
    assert {*field_type(given.types[ACTIVITY].fields["area"].type).values} == AREAS


_PINPOINT = replace(contract().types[ACTIVITY], name="pinpoint")


@HELD.check(
    event=altered(lambda given: replace(given, types={**given.types, "x": _PINPOINT})),
    forum=altered(lambda given: replace(given, forums={**given.forums, "mayors": given.forums["ssp"]})),
)
def what_was_rejected_has_no_event(given: Contract) -> None:
    """The police keep their own log of persons (Pinpoint); there is no forum of mayors."""
    assert not [word for word in bus_words.words(given) if bus_words.tokens(word[1]) & {"pinpoint", "mayor", "mayors"}]
    assert set(given.forums) == {"ssp", "psp", "ksp", "ssd", "consent"}


def _anybody(patch: pytest.MonkeyPatch) -> Contract:
    patch.setattr(admission, "_may_say", lambda *_: True)
    patch.setattr(check, "_publishes", lambda *_: True)
    return contract()


@HELD.check(publishers=_anybody)
def health_staff_can_be_switched_off(given: Contract) -> None:
    """A contract may take one publisher out, and nobody else is touched by it."""
    others = (id_ for id_, party in given.parties.items() if party.kind == "administration" and id_ != "suf")
    switched = with_type("concern-raised", publishers=tuple(others))(given)
    for party, taken in (("suf", False), ("buf", True)):
        assert (Talk(Bus(switched)).say(party, "concern-raised").decision is not None) is taken


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)
