"""The order of judgement in a case: what comes before the needs of the event, and who is told what."""

from dataclasses import replace

import pytest

from schemas.check import check
from schemas.errors import StateError
from schemas.verdicts import Accepted, Refusal
from tests.unit.sayings import ADULT, ONE, OTHER, OTHER_CASE, Talk, concerned, coordinated, met, pending, relatives
from tests.unit.scenarios import contract


class TestDuplicates:
    def test_first_verdict_again_with_its_withheld_parties(self) -> None:
        talk = coordinated()
        first = talk.ok("sof", "measure-started", ce_id=OTHER, measure=ONE)
        again = talk.say("sof", "measure-started", ce_id=OTHER, measure=ONE)
        assert first.verdict == Accepted(OTHER, ("vink",))
        assert again.verdict == Accepted(OTHER, ("vink",), duplicate=True)
        assert again.decision is None

    def test_said_otherwise_it_is_a_duplicate_still_and_before_every_refusal(self) -> None:
        talk = concerned()
        talk.ok("sof", "concern-screened", ce_id=OTHER, outcome="close")
        assert talk.say("sof", "case-closed", ce_id=OTHER).verdict == Accepted(OTHER, duplicate=True)

    def test_a_refused_id_may_be_said_again(self) -> None:
        talk = coordinated()
        assert talk.refused("sof", "measure-started", ce_id=OTHER, measure=ONE, provider="pet")
        talk.ok("sof", "measure-started", ce_id=OTHER, measure=ONE)

    def test_same_id_from_another_source_is_taken_before_anything_of_the_case(self) -> None:
        talk = concerned()
        first = next(iter(talk.state.said))
        assert talk.refused("suf", "follow-up-held", ce_id=first) == "id_taken"

    def test_same_id_in_another_case_is_another_event(self) -> None:
        talk = concerned()
        first = next(iter(talk.state.said))
        Talk(talk.bus, OTHER_CASE, 900).ok("buf", "concern-raised", ce_id=first)

    def test_outside_cases_among_the_last_thousand_of_the_publisher(self) -> None:
        talk = Talk()
        ids = [talk.ok("vink", "prevention-activity-held").id for _ in range(1_000)]
        assert talk.say("vink", "prevention-activity-held", ce_id=ids[0]).verdict == Accepted(ids[0], duplicate=True)
        talk.ok("bif", "prevention-activity-held", ce_id=ids[0])  # another publisher's own
        talk.ok("vink", "prevention-activity-held")
        talk.ok("vink", "prevention-activity-held", ce_id=ids[0])  # forgotten by now


class TestWhoMayKnow:
    def test_no_event_but_the_two_openers_finds_a_case_that_does_not_exist(self) -> None:
        assert Talk().refused("ku", "meeting-cancelled", meeting=ONE) == "unknown_case"
        Talk().ok("buf", "concern-raised")
        Talk().ok("vink", "relative-support-started")

    def test_whoever_is_not_involved_is_told_that_there_is_none(self) -> None:
        talk = concerned()
        assert talk.refused("suf", "authority-request-received") == "unknown_case"
        assert talk.refused("suf", "correction-issued", corrects=next(iter(talk.state.said))) == "unknown_case"

    def test_ku_its_publishers_and_recipients_are_involved(self) -> None:
        talk = concerned()
        for party in ("ku", "buf", "sof"):
            assert talk.refused(party, "correction-issued", corrects=OTHER) == "not_your_event"

    def test_a_party_from_whom_all_was_withheld_is_not_involved(self) -> None:
        talk = coordinated(ADULT, "bif")
        talk.ok("bif", "measure-started", measure=ONE, provider="suf")
        assert talk.refused("suf", "authority-request-received") == "unknown_case"

    def test_owner_invited_and_pending_new_owner_are_involved(self) -> None:
        talk = met(owner="bif")
        talk.ok("bif", "transfer-initiated", transfer=ONE, to="suf")
        for party in ("bif", "buf", "suf"):
            assert talk.refused(party, "correction-issued", corrects=OTHER) == "not_your_event"

    def test_and_are_so_even_where_no_rule_shows_them_anything(self) -> None:
        talk = concerned(contract_=replace(contract(), rules=()))
        assert talk.refused("sof", "conversation-held") == "unknown_case"
        talk = met(
            contract_=replace(contract(), rules=tuple(r for r in contract().rules if r.event == "concern-raised"))
        )
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        for party in ("buf", "suf"):
            assert talk.refused(party, "correction-issued", corrects=OTHER) == "not_your_event"
        talk.ok("sof", "transfer-cancelled", transfer=ONE)
        assert talk.refused("suf", "correction-issued", corrects=OTHER) == "unknown_case"


class TestOpening:
    def test_a_further_concern_by_a_party_involved(self) -> None:
        talk = concerned()
        talk.ok("sof", "concern-raised")
        assert talk.refused("suf", "concern-raised") == "case_exists"

    def test_no_concern_on_a_relatives_case_and_no_relative_on_a_case(self) -> None:
        assert relatives().refused("vink", "concern-raised") == "case_exists"
        assert relatives().refused("suf", "concern-raised") == "case_exists"
        assert relatives().refused("vink", "relative-support-started") == "case_exists"
        assert concerned().refused("vink", "relative-support-started") == "case_exists"
        assert coordinated(owner="vink").refused("vink", "relative-support-started") == "case_exists"

    def test_case_exists_comes_before_case_closed(self) -> None:
        talk = concerned()
        talk.ok("sof", "concern-screened", outcome="close")
        assert talk.refused("suf", "concern-raised") == "case_exists"
        assert talk.refused("buf", "concern-raised") == "case_closed"

    def test_a_relatives_case_counts_as_screened_by_its_publisher_who_owns_it(self) -> None:
        talk = relatives()
        assert talk.refused("ku", "concern-screened", owner="vink") == "already_screened"
        talk.ok("vink", "measure-started", measure=ONE, provider="bif")


class TestClosedAndFull:
    def test_what_is_taken_after_closing(self) -> None:
        talk = coordinated()
        first = next(iter(talk.state.said))
        talk.ok("sof", "case-closed")
        correction = talk.ok("buf", "correction-issued", corrects=first, reason="wrong_fact")
        talk.ok("sof", "correction-acknowledged", correction=correction.id)
        request = talk.ok("sof", "rights-request-received")
        talk.ok("sof", "rights-request-answered", request=request.id)
        talk.ok("ku", "authority-request-received")
        assert talk.refused("sof", "case-closed") == "case_closed"
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE) == "case_closed"
        assert isinstance(talk.bus_says("deadline-passed").verdict, Accepted)
        assert isinstance(talk.bus_says("case-erased").verdict, Accepted)

    def test_a_thousand_events_and_what_still_passes(self) -> None:
        talk = coordinated()
        while len(talk.state.said) < 1_000:
            talk.ok("sof", "follow-up-held")
        assert talk.refused("sof", "follow-up-held") == "case_full"
        assert talk.refused("suf", "concern-raised") == "case_exists"
        assert talk.refused("buf", "case-closed") == "not_a_publisher"
        talk.ok("ku", "authority-request-received")
        talk.ok("sof", "case-closed")
        assert isinstance(talk.bus_says("deadline-passed").verdict, Accepted)


class TestPublishers:
    def test_owner(self) -> None:
        assert concerned().refused("sof", "case-closed") == "not_a_publisher"
        assert coordinated().refused("ku", "case-closed") == "not_a_publisher"

    def test_kind_and_party(self) -> None:
        talk = coordinated()
        talk.ok("ku", "police-disclosure-decided")
        assert talk.refused("buf", "police-disclosure-decided") == "not_a_publisher"

    def test_new_owner_only_of_the_transfer_that_is_pending(self) -> None:
        talk = pending()
        assert talk.refused("ku", "transfer-accepted", transfer=ONE) == "not_a_publisher"
        assert talk.refused("ku", "transfer-accepted", transfer=OTHER) == "unknown_transfer"
        assert talk.refused("buf", "transfer-declined", transfer=OTHER) == "unknown_transfer"
        talk.ok("buf", "transfer-accepted", transfer=ONE)
        assert talk.refused("ku", "transfer-accepted", transfer=ONE) == "unknown_transfer"

    def test_invited_and_recipient_never_give_not_a_publisher(self) -> None:
        talk = met()
        assert talk.refused("ku", "register-check-answered", meeting=ONE) == "not_invited"
        assert talk.refused("ku", "correction-acknowledged", correction=OTHER) == "nothing_to_acknowledge"

    def test_the_bus_is_no_party(self) -> None:
        assert concerned().refused("sof", "deadline-passed") == "not_a_publisher"
        assert Talk().bus_says("deadline-passed").verdict == Refusal(
            "00000000-0000-4000-8000-000000000001", "unknown_case", ("/subject",)
        )


class TestNotTaken:
    def test_is_told_to_a_party_involved_that_holds_no_case_data(self) -> None:
        talk = concerned(by="bolig-nord")
        first = next(iter(talk.state.said))
        assert talk.refused("bolig-nord", "correction-issued", corrects=OTHER) == "not_taken"
        assert talk.refused("bolig-nord", "correction-acknowledged", correction=OTHER) == "not_taken"
        talk.ok("bolig-nord", "correction-issued", corrects=first, reason="wrong_fact")
        talk.ok("sof", "concern-screened", outcome="close")
        assert talk.refused("bolig-nord", "concern-raised") == "not_taken"

    def test_has_no_path(self) -> None:
        talk = concerned(by="bolig-nord")
        heard = talk.say("bolig-nord", "correction-issued", corrects=OTHER)
        assert heard.verdict == Refusal(heard.id, "not_taken")

    def test_not_instead_of_what_says_nothing_of_the_case(self) -> None:
        talk = concerned(by="bolig-nord")
        first = next(iter(talk.state.said))
        assert talk.refused("bolig-nord", "concern-raised", tier_2_signs=1) == "signs_insufficient"
        assert talk.refused("bolig-nord", "concern-raised", observed_on="2026-12-31") == "observed_in_future"
        assert talk.refused("forening-havnen", "concern-raised", ce_id=first) == "id_taken"

    def test_a_stranger_is_told_what_a_stranger_is_told(self) -> None:
        talk = concerned()
        assert talk.refused("bolig-nord", "concern-raised") == "case_exists"
        assert talk.refused("bolig-nord", "correction-issued", corrects=OTHER) == "unknown_case"
        assert Talk().refused("bolig-nord", "concern-raised", tier_2_signs=0) == "signs_insufficient"


def test_a_state_of_another_case_is_never_judged_on() -> None:
    talk = concerned()
    admitted = talk.bus.accepted[-1]
    with pytest.raises(StateError):
        check(talk.bus.contract, Talk(talk.bus, OTHER_CASE).state, admitted)
