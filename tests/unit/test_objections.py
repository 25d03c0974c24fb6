"""What others were reproached with is not possible here: no score, rank, link, list, free text or belief.

- Gladsaxe (points, joined registers, a list before any basis): nothing_scores, nothing_links, nothing_lists,
  every_release_has_a_basis.
- POL-INTEL (analysis across registers as a new purpose): nothing_lists, every_release_has_a_basis;
  test_invariants.py, 4.
- Danish telecom data (wrong results, late deletion): a_correction_reaches_all_who_learned;
  test_invariants_over_time.py, 9.
- Gangs Matrix (no retention, full sharing, victims among offenders, no DPIA): a_rejected_concern_goes_soon,
  nobody_gets_all, a_relatives_case_stands_alone; test_processing_record.py.
- Prevent (kept for years, belief and ethnicity as labels): a_rejected_concern_goes_soon,
  nothing_names_belief_or_origin.
- Top600 (listed without suspicion): only_a_concrete_concern_opens_a_case, nothing_lists, nothing_ranks.
- Inquiries in mosques and on networks: nothing_names_belief_or_origin, nothing_links.
- Profiling on Facebook: nothing_gathers_from_open_sources.

No free text: test_invariants.py 1.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from typer.models import CommandInfo

from deploy.cli import main
from schemas import check, overview
from schemas.contract import Contract, Field
from schemas.retention import erasure
from tests.guards import Guards, altered, patched, refused, with_type, without_rules
from tests.unit import bus_words
from tests.unit.sayings import ADULT, Talk, coordinated, relatives, views
from tests.unit.scenarios import Bus, contract

HELD = Guards()

SCORES = bus_words.tokens("score scores point points risk rating weight probability severity grade level")
RANKS = bus_words.tokens("rank ranks ranking priority top worst sort")
LINKS = bus_words.tokens(
    "link links linked network graph relation relations sibling friend friends gang accomplice join"
)
LISTS = bus_words.tokens("list lists persons people search find lookup watchlist pinpoint cpr names who")
BELIEF = bus_words.tokens(
    "religion religious belief faith mosque church imam islam ethnicity ethnic race nationality origin "
    "politics political opinion ideology dress clothing appearance beard headscarf union symbol"
)
OPEN_SOURCES = bus_words.tokens("facebook social media internet twitter crawl scrape post posts profile")

# Names that hold such a word and mean something else.
MEANT_OTHERWISE: Mapping[str, Collection[str]] = {
    "network": {"value of kind"},  # of relatives: a group of parents that support each other
    "dead list": {"command"},  # of places on topics
    "political": {"kind of party"},  # the committees
    "media_literacy": {"value of kind"},  # what an activity was about
}


def _named(given: Contract, banned: Collection[str]) -> list[bus_words.Word]:
    found = [(place, name) for place, name in bus_words.words(given) if bus_words.tokens(name) & set(banned)]
    return [(place, name) for place, name in found if place not in MEANT_OTHERWISE.get(name, ())]


def _with_field(name: str, type_: str = "int") -> Callable[[Contract], Contract]:
    fields = {**contract().types["concern-raised"].fields, name: Field(name, 1, type_)}
    return with_type("concern-raised", fields=fields)


def _route(path: str, parameter: str = "id") -> tuple[APIRouter, ...]:
    async def answer(asked: Annotated[str, Query(alias=parameter)]) -> str:
        return asked

    router = APIRouter()
    router.get(path)(answer)
    return (router,)


@HELD.check(
    no_field=altered(_with_field("risk_score")),
    no_value=altered(_with_field("assessment", "{low_risk, high_risk}")),
    no_column=patched(bus_words, "tables", lambda: {"readmodel.overview_cases": {"severity"}}),
)
def nothing_scores(given: Contract) -> None:
    """No field, value, column, parameter or option holds points about anybody."""
    assert not _named(given, SCORES)


@HELD.check(
    no_route=patched(bus_words, "MORE_ROUTES", _route("/overview/top")),
    no_fact_to_rank_by=patched(overview, "KEPT", {**overview.KEPT, "concern-raised": ("tier_1_signs",)}),
)
def nothing_ranks(given: Contract) -> None:
    """No order but that of time; the overview keeps nothing of a concern by which cases could be put in another."""
    assert not _named(given, RANKS)
    assert "concern-raised" not in overview.KEPT


@HELD.check(
    no_field=altered(_with_field("linked_to", "uuid")),
    no_value=altered(_with_field("seen_with", "{sibling, other}")),
    no_column=patched(bus_words, "tables", lambda: {"readmodel.network": {"linked_case"}}),
)
def nothing_links(given: Contract) -> None:
    """Nothing says that two persons or two cases have to do with each other."""
    assert not _named(given, LINKS)


# Every route, and why it lists no persons: a new one is to be thought about here.
ROUTES = {
    "/": "the page of /overview",
    "/session": "signs in",
    "/session/end": "signs out",
    "/static/{version}/{name}": "the page's own files",
    "/events": "takes one event",
    "/events/{id}": "the verdict on one event, to who said it",
    "/vault/{uuid}": "one value, by a reference that a view gave",
    "/views": "the asking party's own views",
    "/overview": "cases, deadlines and counts",
    "/overview/stream": "the same as it changes",
    "/healthz": "no data",
    "/readyz": "no data",
    "/metrics": "counts by route and verdict",
}


@HELD.check(
    no_event=altered(with_type("meeting-held", name="persons-listed")),
    no_route=patched(bus_words, "MORE_ROUTES", _route("/vault")),
    no_parameter=patched(bus_words, "MORE_ROUTES", _route("/events", "cpr")),
    no_command=patched(main.app, "registered_commands", [CommandInfo("search", callback=lambda: None)]),
)
def nothing_lists(given: Contract) -> None:
    """No event, topic, route, command, option or table lists persons or searches for one (no "Pinpoint")."""
    assert not _named(given, LISTS)
    assert bus_words.routes() == ROUTES.keys()


@HELD.check(
    no_field=altered(_with_field("religion", "bool")),
    no_source=altered(_with_field("source_type", "{school, mosque}")),
)
def nothing_names_belief_or_origin(given: Contract) -> None:
    """No field, value, party or source stands for belief, opinion, origin or appearance."""
    assert not _named(given, BELIEF)


@HELD.check(no_source=altered(_with_field("source_type", "{school, social_media}")))
def nothing_gathers_from_open_sources(given: Contract) -> None:
    """Nothing comes from where people profile themselves: a concern has a source of the closed list."""
    assert not _named(given, OPEN_SOURCES)


@HELD.check(
    basis=altered(
        lambda given: replace(given, gates={**given.gates, "child": replace(given.gates["child"], basis=" ")})
    ),
)
def every_release_has_a_basis(given: Contract) -> None:
    """Nothing is released but through a gate with a legal basis; a rule without one is no rule."""
    bases = [gate.basis for gate in given.gates.values()] + [forum.basis for forum in given.forums.values()]
    assert all(basis.strip() for basis in bases)
    assert all(rule.gate.name in given.gates for rule in given.rules)
    assert all(refused("policy", ("gate: coordination, release: [received_at]", "release: [received_at]")))


@HELD.check(
    signs=altered(with_type("concern-raised", needs=())),
    openers=altered(with_type("conversation-held", opens_case=True)),
)
def only_a_concrete_concern_opens_a_case(given: Contract) -> None:
    """A case begins with observed acts (one serious, or two), or with support that a relative is given."""
    assert {name for name, type_ in given.types.items() if type_.opens_case} == {
        "concern-raised",
        "relative-support-started",
    }
    for serious, other, taken in ((0, 0, False), (0, 1, False), (0, 2, True), (1, 0, True)):
        heard = Talk(Bus(given)).say("buf", "concern-raised", tier_1_signs=serious, tier_2_signs=other)
        assert (heard.decision is not None) is taken
    assert not {"observed_on", "protective_factors", "signs"} & {
        field.name for field in given.types["concern-raised"].fields.values() if field.type.endswith("?")
    }


@HELD.check(cases_apart=patched(check, "_opened_already", lambda _claim: False))
def a_relatives_case_stands_alone(given: Contract) -> None:
    """Relatives and victims are never mixed with whom a concern is about: no case is both."""
    relative = relatives()
    relative.bus.contract = given
    assert getattr(relative.say("vink", "concern-raised").verdict, "reason", None) == "case_exists"
    concern = coordinated(contract_=given)
    assert getattr(concern.say("vink", "relative-support-started").verdict, "reason", None) == "case_exists"


def _all_of(given: Contract) -> Contract:
    """Let every rule give every reference of its event."""
    refs = {name: tuple(f.name for f in type_.fields.values() if f.is_ref) for name, type_ in given.types.items()}
    return replace(given, rules=tuple(replace(rule, refs=refs[rule.event]) for rule in given.rules))


@HELD.check(field_by_field=altered(_all_of))
def nobody_gets_all(given: Contract) -> None:
    """Of a concern nobody but who decides on it gets every field; who notified is told to nobody."""
    talk = Talk(Bus(given))
    shown = views(talk.ok("buf", "concern-raised", narrative="ref", notifier="ref"))
    assert set(shown["ku"]["refs"]) == {"signs"}
    assert all("notifier" not in view["refs"] for view in shown.values())


def _kept_long(given: Contract) -> Contract:
    return replace(given, retention=tuple(replace(kept, keep="6 years") for kept in given.retention))


@HELD.check(
    term=altered(
        lambda given: replace(given, retention=tuple(replace(kept, keep="6 years") for kept in given.retention))
    )
)
def a_rejected_concern_goes_soon(given: Contract) -> None:
    """What led to nothing is erased within weeks."""
    talk = Talk(Bus(given))
    talk.ok("buf", "concern-raised", age_band=ADULT)
    talk.ok("ku", "concern-screened", outcome="close")
    term = erasure(given, talk.state)
    assert term is not None
    assert datetime.fromisoformat(term.at) - talk.bus.now <= timedelta(days=31)


@HELD.check(told=altered(without_rules("correction", "correction-owner")))
def a_correction_reaches_all_who_learned(given: Contract) -> None:
    """What was wrong is called back from everybody who got it."""
    talk = Talk(Bus(given))
    concern = talk.ok("buf", "concern-raised")
    learned = set(views(concern))
    told = views(talk.ok("buf", "correction-issued", corrects=concern.id, reason="wrong_fact"))
    assert learned
    assert set(told) >= learned


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)
