"""The invariants six to ten, of what time, withdrawal, replay, erasure and counting do: see test_invariants.py."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas import (
    case_facts,
    judge,
    may_read,
    outputs,
    periods,
    state,
    topics,
)
from schemas.canonical import digest
from schemas.case import State
from schemas.contract import Contract, Contracts
from schemas.envelope import Event, log_key
from schemas.remember import remember
from schemas.views import Decision
from tests.guards import (
    Guards,
    altered,
    patched,
    without_obligations,
    without_rules,
)
from tests.unit.sayings import ADULT, CASE, ONE, OTHER, Talk, coordinated, views
from tests.unit.scenarios import Bus, said, written

HELD = Guards()


def _uncached(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(periods, "_last_day", periods._last_day.__wrapped__)
    patch.setattr(periods, "end_of_day", periods.end_of_day.__wrapped__)


def _no_holidays(patch: pytest.MonkeyPatch) -> Contract:
    _uncached(patch)
    return patched(periods, "_HOLIDAYS", {})(patch)


def _no_city(patch: pytest.MonkeyPatch) -> Contract:
    _uncached(patch)
    return patched(periods, "CITY", UTC)(patch)


@HELD.check(holidays=_no_holidays, city=_no_city)
def deadlines_keep_the_citys_time_and_holidays(given: Contract) -> None:
    """6. Timers follow Europe/Copenhagen time and Danish holidays."""
    talk = Talk(Bus(given, datetime(2026, 4, 1, 8, tzinfo=UTC)))  # Wednesday before Easter
    talk.ok("buf", "concern-raised", observed_on="2026-04-01")
    due = {due.deadline: due.at for due in talk.state.due}
    assert due["notifier_receipt"] == "2026-04-11T22:00:00.000000Z"  # four of its days are no working days
    assert due["assessment_24h"] == "2026-04-02T09:00:00.000000Z"
    talk = coordinated(contract_=replace(given))
    talk.bus.now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    talk.ok("sof", "transfer-initiated", transfer=ONE, due="2026-03-29")
    transfer = next(due.at for due in talk.state.due if due.deadline == "transfer")
    assert transfer == "2026-03-29T22:00:00.000000Z"  # summer time since that night


def _ever_covered(case: Any, party: str, scope: str | None) -> bool:
    return any(party in consent.recipients and scope in consent.scope for consent in case.consents.values())


@HELD.check(
    consent_that_stands=patched(case_facts, "covered", _ever_covered),
    told=altered(without_rules("consent-named")),
    obligation=altered(without_obligations),
)
def a_withdrawn_consent_stops_what_it_let_out(given: Contract) -> None:
    """7. Consent withdrawal stops fan-out and triggers erasure at recipients relying on it."""
    talk = coordinated(ADULT, contract_=given)
    consent = {"consent": OTHER, "scope": ["measure"], "recipients": ["vink"]}
    talk.ok("sof", "consent-recorded", **consent)
    started = talk.ok("sof", "measure-started", measure=ONE)
    assert views(started)["vink"]["grounds"][0]["obligations"] == ["delete_on_withdrawal"]
    withdrawn = views(talk.ok("sof", "consent-recorded", **consent, state="withdrawn"))
    assert withdrawn.get("vink", {}).get("fields", {}).get("state") == "withdrawn"
    assert "vink" not in views(talk.ok("sof", "measure-started", measure=talk.fresh()))
    deposit = may_read.Deposit(talk.state.said[started.id].refs["plan"], "sof", CASE, "plan")
    assert isinstance(may_read.may_read(given, talk.state, deposit, "vink", talk.bus.now), may_read.Refused)


@HELD.check(
    contract_of_the_day=patched(Contracts, "named", lambda contracts, _digest: contracts.newest),
)
def any_day_told_again_gives_its_receipts(given: Contract) -> None:
    """8. Replaying any day reproduces its disclosure records under that day's policy, without vault access."""
    later = replace(
        without_rules("concern-sof", "talk-ku", "measure-ku")(given), valid_from=date(2026, 3, 20), digest=digest("l")
    )
    contracts = Contracts([given, later])
    bus, lived, digests = Bus(given), {}, set()
    for event in said("first-weeks"):
        bus.contract = contracts.at(max(bus.now, datetime.fromisoformat(event["time"])))
        heard = bus.hear(event)
        if heard.decision:
            lived[len(bus.accepted)] = heard.decision.written
            digests.add(bus.contract.digest)
    assert len(digests) == 2
    states: dict[str, Any] = {}
    for number, admitted in enumerate(bus.accepted, 1):
        key = admitted.event.key
        states[key], decision = judge.replay(
            contracts.named(admitted.seal.contract), states.get(key) or state.empty(key), admitted
        )
        assert decision.written == lived[number]


def _forgetful(folded: State, event: Event, decision: Decision) -> State:
    return folded if event.type == "measure-started" else remember(folded, event, decision)


@HELD.check(
    remembering_who_was_shown=patched(judge, "remember", _forgetful),
    tombstones=patched(outputs, "log_key_of", lambda *_: b""),
    stub=patched(judge, "noted", lambda _contract, case, *_: case),
)
def an_erased_case_leaves_no_record(given: Contract) -> None:
    """9. After erasure no record of the case survives but its stub: nothing that was shown, said or referred to."""
    talk = coordinated(contract_=given)
    keys = {("samspil.log.v1", log_key(admitted.event)) for admitted in talk.bus.accepted}
    for party, type_, data in (
        ("sof", "consent-recorded", {"consent": OTHER}),
        ("sof", "measure-started", {"measure": ONE}),
        ("sof", "case-closed", {}),
    ):
        heard = talk.ok(party, type_, **data)
        keys |= {(r.topic, r.key or b"") for r in written(talk.bus.accepted[-1], heard) if r.topic != topics.LEDGER}
    before = talk.state
    gone = {(record.topic, record.key or b"") for record in outputs.erasures(before) if record.value is None}
    assert keys - gone == {(topics.CASES, CASE.encode())}
    talk.bus_says("case-erased", recipients=["sof"])
    left = state.encode(talk.bus.states[CASE]) or b""
    assert b"vault:" not in left
    assert not [id_ for id_ in before.said if id_.encode() in left]


@HELD.check(
    threshold=altered(lambda given: replace(given, rules=tuple(replace(r, suppress_below=None) for r in given.rules)))
)
def no_count_below_five_leaves(given: Contract) -> None:
    """10. What is released of counts never reveals fewer than five: here of an activity, whose count is left out."""
    for number in (0, 1, 4):
        heard = Talk(Bus(given)).ok("vink", "prevention-activity-held", participants=number)
        assert all("participants" not in view["fields"] for view in views(heard).values())
    heard = Talk(Bus(given)).ok("vink", "prevention-activity-held", participants=5)
    assert all(view["fields"]["participants"] == 5 for view in views(heard).values())


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)
