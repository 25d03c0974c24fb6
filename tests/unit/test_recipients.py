"""Whom the roles of the policy mean, and which references of earlier events a recipient learns."""

from dataclasses import replace

from schemas.case import Case
from tests.unit.sayings import ADULT, ONE, OTHER, Talk, concerned, coordinated, failed, met, pending, rules, views
from tests.unit.scenarios import Heard, contract


def ref(heard: Heard, name: str) -> str:
    """Return a reference that an event carried."""
    assert heard.judgement is not None
    state = heard.judgement.state
    assert isinstance(state, Case)
    return state.said[heard.id].refs[name]


class TestRoles:
    def test_owner_is_the_owner_after_the_event(self) -> None:
        talk = concerned()
        assert "bif" in views(talk.ok("sof", "concern-screened", owner="bif"))

    def test_old_and_new_owner(self) -> None:
        talk = pending()
        heard = talk.ok("buf", "transfer-accepted", transfer=ONE)
        assert rules(heard) == {"buf": ["accepted-new"], "ku": ["accepted-ku"], "sof": ["accepted-old"]}
        assert talk.state.owner == "buf"

    def test_informed_provider_only_if_it_was_informed(self) -> None:
        talk = coordinated()
        talk.ok("sof", "measure-started", measure=ONE)
        assert "vink" not in views(talk.ok("sof", "measure-ended", measure=ONE))
        talk.ok("sof", "consent-recorded", consent=OTHER)
        talk.ok("sof", "measure-started", measure=OTHER)
        assert rules(talk.ok("sof", "measure-ended", measure=OTHER))["vink"] == ["ended-provider"]

    def test_issuer_of_the_correction_acknowledged(self) -> None:
        talk = concerned()
        correction = talk.ok("buf", "correction-issued", corrects=next(iter(talk.state.said)))
        heard = talk.ok("sof", "correction-acknowledged", correction=correction.id)
        assert rules(heard) == {"buf": ["corrected"], "ku": ["corrected-ku"]}

    def test_event_recipients_are_who_got_a_view_or_learned_a_reference_later(self) -> None:
        talk = concerned()
        concern = next(iter(talk.state.said))
        talk.ok("sof", "concern-screened", owner="bif")  # bif learns the concern's references
        talk.ok("ku", "meeting-scheduled", meeting=ONE)
        late = talk.ok("sof", "concern-raised")
        talk.ok("ku", "register-check-requested", meeting=ONE)  # buf learns the person of both
        heard = talk.ok("buf", "correction-issued", corrects=concern)
        assert rules(heard) == {"ku": ["correction"], "sof": ["correction"], "bif": ["correction", "correction-owner"]}
        heard = talk.ok("sof", "correction-issued", corrects=late.id)
        assert set(rules(heard)) == {"ku", "bif", "buf"}

    def test_event_recipients_of_a_dossier(self) -> None:
        talk = coordinated(ADULT)
        started = talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        talk.ok("sof", "consent-recorded", consent=OTHER, scope=["handover"], recipients=["suf"])
        talk.ok("suf", "transfer-accepted", transfer=ONE)
        assert set(rules(talk.ok("sof", "correction-issued", corrects=started.id))) == {"ku", "suf"}

    def test_nobody_learned_what_was_undone_before_it_was_shown(self) -> None:
        talk = concerned()
        concern = next(iter(talk.state.said))
        talk.ok("buf", "correction-issued", corrects=concern, reason="wrong_subject")
        talk.ok("ku", "concern-screened", owner="bif")
        talk.ok("bif", "transfer-initiated", transfer=ONE, to="suf")
        heard = talk.ok("buf", "correction-issued", corrects=concern, reason="wrong_fact")
        assert rules(heard) == {"ku": ["correction"], "sof": ["correction"], "bif": ["correction-owner"]}

    def test_case_recipients_got_an_earlier_view_hold_case_data_and_are_not_oversight(self) -> None:
        talk = concerned(by="bolig-nord")
        talk.ok("ku", "notifier-receipted", concern=next(iter(talk.state.said)))
        talk.ok("sof", "concern-screened", owner="bif")
        talk.ok("bif", "rights-request-received")
        talk.ok("bif", "measure-started", measure=ONE, provider="suf")  # withheld from suf
        heard = talk.bus_says("case-erased")
        assert rules(heard) == {party: ["erased"] for party in ("bif", "ku", "sof")}
        assert failed(heard) == {}

    def test_responsible_of_a_deadline(self) -> None:
        heard = coordinated().bus_says("deadline-passed", responsible="ku")
        assert rules(heard) == {"ku": ["deadline", "deadline-ku"]}
        assert views(heard)["ku"]["fields"]["responsible"] == "ku"
        assert heard.decision is not None
        assert heard.decision.views[0].heading.source == "urn:samspil:party:bus"

    def test_a_party_that_the_contract_no_longer_knows_is_nobody(self) -> None:
        talk = met()
        parties = {id_: party for id_, party in contract().parties.items() if id_ != "buf"}
        talk.bus.contract = replace(contract(), parties=parties)
        assert set(rules(talk.ok("ku", "meeting-cancelled", meeting=ONE))) == {"sof"}


class TestEarlierReferences:
    def test_newest_first_from_the_three_types_without_what_was_undone(self) -> None:
        talk = Talk()
        first = talk.ok("buf", "concern-raised", narrative="ref")
        second = talk.ok("buf", "child-notification-forwarded")
        third = talk.ok("sof", "concern-raised")
        talk.ok("sof", "police-disclosure-decided")  # its person is not the case's to hand on
        got = views(talk.ok("sof", "concern-screened", owner="bif"))["bif"]["case_refs"]
        assert got == {
            "person": [ref(heard, "person") for heard in (third, second, first)],
            "signs": [ref(heard, "signs") for heard in (third, first)],
            "narrative": [ref(heard, "narrative") for heard in (second, first)],
        }
        talk.ok("buf", "correction-issued", corrects=second.id, reason="wrong_recipient")
        talk.ok("buf", "correction-issued", corrects=first.id, reason="wrong_fact")
        talk.ok("sof", "correction-issued", corrects=third.id, reason="withdrawn")
        got = views(talk.ok("sof", "concern-screened", owner="bif"))["bif"]["case_refs"]
        assert got["person"] == [ref(second, "person"), ref(first, "person")]

    def test_a_name_that_has_none_is_absent(self) -> None:
        got = views(concerned().ok("sof", "concern-screened", owner="bif"))["bif"]["case_refs"]
        assert set(got) == {"person", "signs"}

    def test_dossier_of_the_transfer_accepted_alone_and_not_once_undone(self) -> None:
        talk = coordinated()
        talk.ok("sof", "transfer-initiated", transfer=OTHER)
        talk.ok("sof", "transfer-cancelled", transfer=OTHER)
        started = talk.ok("sof", "transfer-initiated", transfer=ONE)
        accepted = views(talk.ok("buf", "transfer-accepted", transfer=ONE))["buf"]["case_refs"]
        assert accepted["dossier"] == [ref(started, "dossier")]
        talk = pending()
        initiated = [*talk.state.said][-1]
        talk.ok("sof", "correction-issued", corrects=initiated, reason="withdrawn")
        assert "dossier" not in views(talk.ok("buf", "transfer-accepted", transfer=ONE))["buf"]["case_refs"]
