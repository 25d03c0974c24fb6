"""The gates of the policy: each predicate met and unmet, and unknown words that release nothing."""

from dataclasses import replace

import pytest

from schemas.contract import Contract, Gate, Rule
from schemas.errors import StateError, UnknownWordError
from schemas.verdicts import Accepted
from tests.unit.sayings import ADULT, ONE, OTHER, Talk, concerned, coordinated, failed, met, pending, rules, views
from tests.unit.scenarios import contract


def with_rules(*changed: Rule) -> Contract:
    """Return the contract in force with some rules changed or added."""
    by_id = {rule.id: rule for rule in (*contract().rules, *changed)}
    return replace(contract(), rules=tuple(by_id.values()))


def gate(name: str) -> Gate:
    """Return a gate of the contract in force."""
    return contract().gates[name]


class TestGates:
    def test_child(self) -> None:
        assert "sof" in views(Talk().ok("buf", "concern-raised", age_band="under_10"))
        assert failed(Talk().ok("buf", "concern-raised", age_band="18_24")) == {"sof": {"concern-sof": "not_a_child"}}

    def test_the_event_that_accepts_turning_18_is_still_about_a_child(self) -> None:
        talk = pending("bif", "turning_18")
        heard = talk.ok("bif", "transfer-accepted", transfer=ONE)
        assert rules(heard)["bif"] == ["accepted-new"]
        after = talk.ok("buf", "concern-raised", age_band="10_14")
        assert failed(after) == {"sof": {"concern-sof": "not_a_child"}}

    def test_forum_by_consent_ends_with_the_consent(self) -> None:
        talk = coordinated(ADULT, "bif")
        consent = {"consent": OTHER, "scope": ["meeting"], "recipients": ["vink", "suf"]}
        talk.ok("bif", "consent-recorded", **consent)
        talk.ok("ku", "meeting-scheduled", meeting=ONE, forum="consent", invited=["vink", "suf"])
        given = talk.ok("ku", "register-check-requested", meeting=ONE)
        assert views(given)["suf"]["grounds"][0]["basis"] == "GDPR art. 6(1)(a)"
        talk.ok("bif", "consent-recorded", **consent, state="withdrawn")
        asked = talk.ok("ku", "register-check-requested", meeting=ONE)
        assert failed(asked) == {party: {"check-invited": "no_consent"} for party in ("suf", "vink")}
        assert asked.verdict == Accepted(asked.id)  # the event itself named nobody

    def test_forum_has_its_list_when_the_contract_changes(self) -> None:
        talk = met()
        forums = {**contract().forums, "ssp": replace(contract().forums["ssp"], parties=frozenset({"sof"}))}
        talk.bus.contract = replace(contract(), forums=forums)
        heard = talk.ok("ku", "meeting-cancelled", meeting=ONE)
        assert failed(heard) == {"buf": {"cancelled-invited": "forum_excludes_party"}}

    @pytest.mark.parametrize(
        ("scope", "recipients", "told"),
        [(["measure"], ["vink"], True), (["exit"], ["vink"], False), (["measure"], ["ekp"], False)],
    )
    def test_consent_names_the_party_and_has_the_rules_scope(
        self, *, scope: list[str], recipients: list[str], told: bool
    ) -> None:
        talk = coordinated()
        talk.ok("sof", "consent-recorded", consent=OTHER, scope=scope, recipients=recipients)
        assert ("vink" in views(talk.ok("sof", "measure-started", measure=ONE))) is told

    def test_consent_undone_by_a_correction(self) -> None:
        talk = coordinated()
        given = talk.ok("sof", "consent-recorded", consent=OTHER)
        talk.ok("sof", "correction-issued", corrects=given.id, reason="wrong_fact")
        assert "vink" in views(talk.ok("sof", "measure-started", measure=ONE))
        talk.ok("sof", "correction-issued", corrects=given.id, reason="wrong_subject")
        assert failed(talk.ok("sof", "measure-started", measure=OTHER)) == {"vink": {"measure-provider": "no_consent"}}

    def test_danger_holds_by_a_decision_that_stands(self) -> None:
        talk = coordinated()
        heard = talk.ok("sof", "police-disclosure-decided")
        assert set(views(heard)["politi"]["refs"]) == {"behaviour", "reasons", "person"}
        assert set(views(heard)["ku"]["fields"]) == set()

    def test_danger_of_another_event_ends_with_the_decision(self) -> None:
        watched = Rule("watched", "follow-up-held", "politi", gate("danger"), ("progress",))
        talk = coordinated(contract_=with_rules(watched))
        assert failed(talk.ok("sof", "follow-up-held")) == {"politi": {"watched": "not_decided"}}
        decided = talk.ok("sof", "police-disclosure-decided")
        assert "politi" in views(talk.ok("sof", "follow-up-held"))
        talk.ok("sof", "correction-issued", corrects=decided.id, reason="withdrawn")
        assert failed(talk.ok("sof", "follow-up-held")) == {"politi": {"watched": "not_decided"}}

    def test_professional_is_for_authorities(self) -> None:
        holder = replace(contract().parties["forening-havnen"], holds_case_data=True)
        parties = {**contract().parties, "forening-havnen": holder}
        talk = concerned(by="forening-havnen", contract_=replace(contract(), parties=parties))
        heard = talk.ok("ku", "notifier-receipted", concern=next(iter(talk.state.said)))
        assert failed(heard) == {"forening-havnen": {"receipt-authority": "not_an_authority"}}

    def test_an_unknown_predicate_or_recipient_releases_nothing(self) -> None:
        moon = replace(gate("coordination"), predicates=("full_moon",))
        for rule in (
            Rule("x", "follow-up-held", "ku", moon, ("progress",)),
            Rule("x", "follow-up-held", "neighbours", gate("coordination"), ("progress",)),
        ):
            talk = coordinated(contract_=with_rules(rule))
            with pytest.raises(UnknownWordError):
                talk.say("sof", "follow-up-held")

    @pytest.mark.parametrize(("to", "through"), [("owner", "knowledge"), ("ku", "child"), ("ku", "forum")])
    def test_a_role_or_gate_of_a_case_never_answers_where_there_is_none(self, to: str, through: str) -> None:
        rule = Rule("x", "prevention-activity-held", to, gate(through), ("area",))
        talk = Talk()
        talk.bus.contract = with_rules(rule)
        with pytest.raises(StateError):
            talk.say("vink", "prevention-activity-held")
