"""Who may open a reference: what was released once, while gate, role and correction allow it still."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.case import Case
from schemas.contract import Contract
from schemas.may_read import Deposit, Reading, Refused, may_read
from schemas.state import decode, encode
from tests.unit.sayings import ADULT, ONE, OTHER, OTHER_CASE, Talk, concerned, coordinated, met
from tests.unit.scenarios import contract


def deposit(talk: Talk, event: str, field: str) -> Deposit:
    """Return the deposit that an event of the case carries in a field."""
    said = talk.state.said[event]
    return Deposit(said.refs[field], said.party, talk.case, field)


def asked(talk: Talk, event: str, field: str, party: str, contract_: Contract | None = None) -> Reading | Refused:
    """Ask for a reading, of the state as the vault gets it."""
    case = decode(encode(talk.state))
    assert isinstance(case, Case)
    return may_read(contract_ or talk.bus.contract, case, deposit(talk, event, field), party, talk.bus.now)


def first(talk: Talk) -> str:
    """Return the first event of the case."""
    return next(iter(talk.state.said))


def newest(talk: Talk) -> str:
    """Return the newest event of the case."""
    return [*talk.state.said][-1]


class TestReleased:
    def test_by_a_rule_with_that_reference(self) -> None:
        talk = concerned()
        assert asked(talk, first(talk), "person", "sof") == Reading(("concern-sof",), (first(talk),))
        assert asked(talk, first(talk), "signs", "ku") == Reading(("concern-ku",), (first(talk),))
        assert asked(talk, first(talk), "person", "ku") == Refused("not_released")

    def test_with_a_later_event(self) -> None:
        talk = concerned()
        screened = talk.ok("sof", "concern-screened", owner="bif").id
        assert asked(talk, first(talk), "person", "bif") == Reading(("screened-owner",), (screened,))
        assert asked(talk, screened, "grounds", "bif") == Reading(("screened-owner",), (screened,))

    def test_by_several_rules_and_events(self) -> None:
        talk = concerned()
        screened = talk.ok("sof", "concern-screened").id
        reading = asked(talk, first(talk), "person", "sof")
        assert reading == Reading(("concern-sof", "screened-owner"), (first(talk), screened))

    def test_not_to_whom_nothing_was_released_whether_it_exists_or_not(self) -> None:
        talk = coordinated()
        unknown = Deposit(talk.ref(), "buf", talk.case, "person")
        for party in ("suf", "politi", "pet", "nobody"):
            assert asked(talk, first(talk), "person", party) == Refused("not_released")
            assert may_read(talk.bus.contract, talk.state, unknown, party, talk.bus.now) == Refused("not_released")

    def test_not_by_a_party_from_whom_it_was_withheld(self) -> None:
        talk = coordinated(ADULT, "bif")
        talk.ok("bif", "measure-started", measure=ONE, provider="suf")
        assert asked(talk, newest(talk), "plan", "suf") == Refused("not_released")


class TestDeposits:
    def test_depositor_reads_its_own_once_said_and_even_when_corrected(self) -> None:
        talk = concerned()
        own = Reading((), (first(talk),))
        assert asked(talk, first(talk), "person", "buf") == own
        talk.ok("buf", "correction-issued", corrects=first(talk), reason="wrong_subject")
        assert asked(talk, first(talk), "person", "buf") == own
        unsaid = Deposit(talk.ref(), "buf", talk.case, "person")
        assert may_read(talk.bus.contract, talk.state, unsaid, "buf", talk.bus.now) == Refused("not_released")

    def test_case_field_and_depositor_are_those_of_the_event(self) -> None:
        talk = concerned()
        right = deposit(talk, first(talk), "person")
        assert isinstance(may_read(talk.bus.contract, talk.state, right, "sof", talk.bus.now), Reading)
        for wrong in ({"case": OTHER_CASE}, {"field": "signs"}, {"party": "politi"}):
            reading = may_read(talk.bus.contract, talk.state, replace(right, **wrong), "sof", talk.bus.now)
            assert reading == Refused("not_released")

    def test_a_reference_that_another_party_said_too_is_not_its_depositors(self) -> None:
        talk = concerned()
        stolen = deposit(talk, first(talk), "person")
        talk.ok("sof", "concern-raised", person=stolen.ref)
        talk.ok("buf", "correction-issued", corrects=first(talk), reason="wrong_subject")
        assert may_read(talk.bus.contract, talk.state, stolen, "sof", talk.bus.now) == Refused("corrected")

    @pytest.mark.parametrize("reason", ["wrong_subject", "wrong_recipient", "withdrawn"])
    def test_corrected(self, reason: str) -> None:
        talk = coordinated(owner="bif")
        talk.ok("buf", "correction-issued", corrects=first(talk), reason=reason)
        for party in ("sof", "bif"):
            assert asked(talk, first(talk), "person", party) == Refused("corrected")

    def test_a_wrong_fact_may_be_read_still(self) -> None:
        talk = concerned()
        talk.ok("buf", "correction-issued", corrects=first(talk), reason="wrong_fact")
        assert isinstance(asked(talk, first(talk), "person", "sof"), Reading)

    def test_said_again_after_the_correction_it_is_released_anew_only_to_whom_it_is_said_again(self) -> None:
        talk = concerned()
        right = deposit(talk, first(talk), "person")
        talk.ok("sof", "concern-screened", owner="bif")
        talk.ok("buf", "correction-issued", corrects=first(talk), reason="withdrawn")
        again = talk.ok("buf", "concern-raised", person=right.ref)
        reading = may_read(talk.bus.contract, talk.state, right, "bif", talk.bus.now)
        assert reading == Reading(("concern-owner",), (again.id,))

    def test_said_by_two_events_it_is_read_as_long_as_one_stands(self) -> None:
        talk = concerned()
        right = deposit(talk, first(talk), "person")
        again = talk.ok("buf", "concern-raised", person=right.ref).id
        screened = talk.ok("sof", "concern-screened", owner="bif").id
        talk.ok("buf", "correction-issued", corrects=first(talk), reason="withdrawn")
        reading = may_read(talk.bus.contract, talk.state, right, "bif", talk.bus.now)
        assert reading == Reading(("screened-owner",), (screened,))
        talk.ok("buf", "correction-issued", corrects=again, reason="wrong_recipient")
        assert may_read(talk.bus.contract, talk.state, right, "bif", talk.bus.now) == Refused("corrected")


class TestNow:
    def test_an_owner_must_own_the_case_now(self) -> None:
        talk = concerned(ADULT)
        talk.ok("ku", "concern-screened", owner="sof")
        assert isinstance(asked(talk, first(talk), "person", "sof"), Reading)
        talk.ok("sof", "consent-recorded", consent=OTHER, scope=["handover"], recipients=["buf"])
        talk.ok("sof", "transfer-initiated", transfer=ONE)
        accepted = talk.ok("buf", "transfer-accepted", transfer=ONE).id
        refused = asked(talk, first(talk), "person", "sof")
        assert refused == Refused("not_owner", (("screened-owner", "not_owner"),))
        # the publisher buf deposited it; signs and person reach the new owner by the acceptance
        assert asked(talk, [*talk.state.said][3], "dossier", "buf") == Reading(("accepted-new",), (accepted,))

    def test_other_roles_are_as_resolved_at_the_event(self) -> None:
        talk = met()
        talk.ok("ku", "register-check-requested", meeting=ONE)
        answered = talk.ok("sof", "register-check-answered", meeting=ONE)
        talk.ok("ku", "meeting-held", meeting=ONE, attended=["sof"])
        assert asked(talk, answered.id, "facts", "buf") == Reading(("answer-invited",), (answered.id,))

    def test_a_consent_withdrawn_ends_the_reading(self) -> None:
        talk = coordinated(ADULT)
        talk.ok("sof", "consent-recorded", consent=OTHER)
        started = talk.ok("sof", "measure-started", measure=ONE).id
        assert asked(talk, started, "plan", "vink") == Reading(("measure-provider",), (started,))
        assert isinstance(asked(talk, first(talk), "person", "vink"), Reading)
        talk.ok("sof", "consent-recorded", consent=OTHER, state="withdrawn")
        refused = Refused("no_consent", (("measure-provider", "no_consent"),))
        assert asked(talk, started, "plan", "vink") == refused
        assert asked(talk, first(talk), "person", "vink") == refused

    def test_a_child_who_turned_18_is_none_but_the_acceptance_itself_stands(self) -> None:
        talk = concerned()
        concern = first(talk)
        talk.ok("sof", "concern-screened", owner="buf")
        talk.ok("buf", "transfer-initiated", transfer=ONE, to="bif", kind="turning_18")
        initiated = newest(talk)
        accepted = talk.ok("bif", "transfer-accepted", transfer=ONE).id
        assert asked(talk, concern, "person", "sof") == Refused("not_a_child", (("concern-sof", "not_a_child"),))
        assert asked(talk, initiated, "dossier", "bif") == Reading(("accepted-new",), (accepted,))

    def test_a_handover_by_consent_ends_with_it(self) -> None:
        talk = coordinated(ADULT)
        given = {"consent": OTHER, "scope": ["handover"], "recipients": ["suf"]}
        talk.ok("sof", "consent-recorded", **given)
        initiated = talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf").id
        talk.ok("suf", "transfer-accepted", transfer=ONE)
        assert isinstance(asked(talk, initiated, "dossier", "suf"), Reading)
        talk.ok("suf", "consent-recorded", **given, state="withdrawn")
        assert asked(talk, initiated, "dossier", "suf") == Refused(
            "no_handover_basis", (("accepted-new", "no_handover_basis"),)
        )

    def test_a_handover_by_a_meeting_with_the_owner_before_stands(self) -> None:
        talk = coordinated(ADULT)
        talk.ok("ku", "meeting-scheduled", meeting=OTHER, forum="psp", invited=["sof", "suf"])
        talk.ok("ku", "meeting-held", meeting=OTHER, attended=["sof", "suf"])
        initiated = talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf").id
        accepted = talk.ok("suf", "transfer-accepted", transfer=ONE).id
        assert asked(talk, initiated, "dossier", "suf") == Reading(("accepted-new",), (accepted,))

    def test_police_read_by_a_decision_that_stands(self) -> None:
        talk = coordinated()
        decided = talk.ok("sof", "police-disclosure-decided").id
        assert asked(talk, decided, "behaviour", "politi") == Reading(("police",), (decided,))
        talk.ok("sof", "correction-issued", corrects=decided, reason="withdrawn")
        assert asked(talk, decided, "behaviour", "politi") == Refused("corrected")


class TestContract:
    def changed(self, id_: str, **values: object) -> Contract:
        """Return the contract in force with one rule changed."""
        rules = tuple(replace(r, **values) if r.id == id_ else r for r in contract().rules)  # type: ignore[arg-type]  # names of Rule's own fields
        return replace(contract(), rules=rules)

    def test_a_rule_that_is_gone_or_releases_it_no_more(self) -> None:
        talk = concerned()
        gone = replace(contract(), rules=tuple(rule for rule in contract().rules if rule.id != "concern-sof"))
        refused = Refused("unknown_rule", (("concern-sof", "unknown_rule"),))
        assert asked(talk, first(talk), "person", "sof", gone) == refused
        assert asked(talk, first(talk), "person", "sof", self.changed("concern-sof", refs=("signs",))) == refused
        assert asked(talk, first(talk), "person", "sof", self.changed("concern-sof", to="politi")) == refused
        other = self.changed("concern-sof", event="follow-up-held")
        assert asked(talk, first(talk), "person", "sof", other) == refused

    def test_a_rule_that_releases_more_now_released_no_more_then(self) -> None:
        talk = concerned()
        wider = self.changed("concern-ku", refs=("signs", "person"))
        assert asked(talk, first(talk), "person", "ku", wider) == Refused("not_released")

    def test_a_party_that_may_hold_no_case_data_any_more(self) -> None:
        talk = concerned()
        sof = replace(contract().parties["sof"], holds_case_data=False)
        stricter = replace(contract(), parties={**contract().parties, "sof": sof})
        assert asked(talk, first(talk), "person", "sof", stricter) == Refused(
            "may_not_hold_case_data", (("concern-sof", "may_not_hold_case_data"),)
        )

    def test_one_rule_that_holds_suffices(self) -> None:
        talk = coordinated()
        adult = talk.ok("buf", "concern-raised", age_band=ADULT).id
        assert asked(talk, adult, "person", "sof") == Reading(("concern-owner",), (adult,))
        assert asked(talk, first(talk), "person", "sof") == Reading(("screened-owner",), ([*talk.state.said][1],))


def test_a_recalled_reference_opens_by_no_other_event_that_carries_it() -> None:
    """A police decision with the same person was never shown to the owner: it opens nothing for it."""
    talk = concerned(by="sof")
    person = talk.state.said[first(talk)].refs["person"]
    concern = first(talk)
    talk.ok("sof", "concern-screened", owner="buf")
    talk.ok("sof", "police-disclosure-decided", person=person)
    talk.ok("sof", "concern-screened", owner="buf")
    assert isinstance(asked(talk, concern, "person", "buf"), Reading)
    talk.ok("sof", "correction-issued", corrects=concern, reason="wrong_subject")
    assert asked(talk, concern, "person", "buf") == Refused("corrected")


class TestOver:
    """Facts for a meeting may be read for 14 days after it was held, by whomever; whether or not they are gone."""

    HELD = datetime(2026, 3, 2, 12, tzinfo=UTC)
    LAST, OVER = datetime(2026, 3, 16, 22, 59, 59, tzinfo=UTC), datetime(2026, 3, 16, 23, tzinfo=UTC)  # in the city

    def facts(self) -> tuple[Talk, Deposit]:
        talk = met()
        talk.ok("ku", "register-check-requested", meeting=ONE)
        answer = talk.ok("sof", "register-check-answered", meeting=ONE).id
        talk.ok("ku", "meeting-held", meeting=ONE, ce_time=self.HELD.isoformat())
        return talk, deposit(talk, answer, "facts")

    def test_to_the_last_moment_and_then_by_nobody(self) -> None:
        talk, right = self.facts()
        for party in ("sof", "buf"):
            assert isinstance(may_read(talk.bus.contract, talk.state, right, party, self.LAST), Reading)
            assert may_read(talk.bus.contract, talk.state, right, party, self.OVER) == Refused("expired")

    def test_who_was_never_shown_them_is_told_nothing_of_it(self) -> None:
        talk, right = self.facts()
        assert may_read(talk.bus.contract, talk.state, right, "politi", self.OVER) == Refused("not_released")

    def test_nothing_else_of_the_meeting_is_over(self) -> None:
        talk, _ = self.facts()
        minutes = deposit(talk, newest(talk), "minutes")
        assert isinstance(may_read(talk.bus.contract, talk.state, minutes, "ku", self.OVER), Reading)
