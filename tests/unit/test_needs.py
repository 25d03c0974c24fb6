"""Every need of the catalogue: met and unmet, in its order."""

from dataclasses import replace

import pytest

from schemas.contract_words import NEEDS as WORDS
from schemas.errors import UnknownWordError
from schemas.needs import NEEDS
from tests.unit.sayings import ADULT, ONE, OTHER, Talk, concerned, coordinated, met, pending
from tests.unit.scenarios import contract


def test_every_need_of_the_contract_has_a_function_and_no_other() -> None:
    assert {type_: set(needs) for type_, needs in NEEDS.items()} == {t: set(needs) for t, needs in WORDS.items()}
    assert {name: set(t.needs) for name, t in contract().types.items() if t.needs} == {
        t: set(needs) for t, needs in WORDS.items()
    }


def test_a_need_without_a_function_stops_the_judgement() -> None:
    types = {**contract().types}
    types["case-closed"] = replace(types["case-closed"], needs=("full_moon",))
    talk = coordinated(contract_=replace(contract(), types=types))
    with pytest.raises(UnknownWordError):
        talk.say("sof", "case-closed")


class TestConcerns:
    @pytest.mark.parametrize(("tier_1", "tier_2", "taken"), [(1, 0, True), (0, 2, True), (0, 1, False), (0, 0, False)])
    def test_signs(self, *, tier_1: int, tier_2: int, taken: bool) -> None:
        heard = Talk().say("buf", "concern-raised", tier_1_signs=tier_1, tier_2_signs=tier_2)
        assert (heard.decision is not None) is taken

    @pytest.mark.parametrize(
        ("time", "taken"),
        [
            ("2026-03-02T22:59:59Z", False),  # winter: the 2nd in the city
            ("2026-03-02T23:00:00Z", True),
            ("2026-07-02T21:59:59Z", False),
            ("2026-07-02T22:00:00Z", True),  # summer time
            ("2026-03-03T08:00:00+10:00", False),
        ],
    )
    def test_observed_by_the_day_of_the_event_in_the_city(self, *, time: str, taken: bool) -> None:
        day = {"03": "2026-03-03", "07": "2026-07-03"}[time[5:7]]
        heard = Talk().say("buf", "concern-raised", ce_time=time, observed_on=day)
        assert (heard.decision is not None) is taken

    def test_notification_is_about_a_child(self) -> None:
        assert concerned(ADULT).refused("buf", "child-notification-forwarded") == "not_a_child"
        concerned("under_10").ok("buf", "child-notification-forwarded")

    def test_receipt_names_a_concern_of_the_case(self) -> None:
        talk = concerned()
        concern = next(iter(talk.state.said))
        notification = talk.ok("buf", "child-notification-forwarded").id
        talk.ok("ku", "notifier-receipted", concern=concern)
        assert talk.refused("ku", "notifier-receipted", concern=notification) == "unknown_event"
        assert talk.refused("ku", "notifier-receipted", concern=OTHER) == "unknown_event"


class TestScreening:
    def test_a_childs_case_is_screened_by_sof(self) -> None:
        assert concerned().refused("ku", "concern-screened") == "child_screened_by_sof"
        concerned(ADULT).ok("ku", "concern-screened")

    def test_again_by_the_same_party_and_never_to_another_owner(self) -> None:
        talk = concerned(ADULT)
        talk.ok("ku", "concern-screened", outcome="advise")
        talk.ok("ku", "concern-screened", outcome="coordinate")
        assert talk.refused("ku", "concern-screened", owner="bif") == "already_screened"
        assert talk.refused("sof", "concern-screened") == "already_screened"

    def test_again_after_a_transfer_names_the_new_owner(self) -> None:
        talk = pending()
        assert talk.refused("sof", "concern-screened", outcome="close") == "transfer_pending"
        talk.ok("sof", "concern-screened", outcome="advise")
        talk.ok("buf", "transfer-accepted", transfer=ONE)
        assert talk.refused("sof", "concern-screened") == "already_screened"
        talk.ok("sof", "concern-screened", owner="buf")

    @pytest.mark.parametrize("owner", ["ku", "politi", "kriminalforsorgen", "dpo", "bolig-nord"])
    def test_owner_is_an_administration_or_a_unit_other_than_ku(self, owner: str) -> None:
        assert concerned().refused("sof", "concern-screened", owner=owner) == "owner_not_eligible"


class TestMeetings:
    def test_only_where_coordinated(self) -> None:
        talk = concerned()
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE) == "not_coordinating"
        talk.ok("sof", "concern-screened", outcome="own_administration")
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE) == "not_coordinating"

    def test_an_id_is_used_once_even_if_cancelled(self) -> None:
        talk = met()
        talk.ok("ku", "meeting-cancelled", meeting=ONE)
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE) == "duplicate_meeting"
        assert talk.refused("ku", "meeting-cancelled", meeting=ONE) == "unknown_meeting"

    def test_forum_has_its_ages_by_the_newest_concern_that_stands(self) -> None:
        talk = coordinated(ADULT)
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE) == "forum_age"
        younger = talk.ok("sof", "concern-raised", age_band="18_24")
        talk.ok("ku", "meeting-scheduled", meeting=ONE)
        talk.ok("sof", "correction-issued", corrects=younger.id, reason="wrong_subject")
        assert talk.refused("ku", "meeting-scheduled", meeting=OTHER) == "forum_age"

    def test_two_ssd_meetings_held_or_scheduled(self) -> None:
        talk = met(forum="ssd")
        talk.ok("ku", "meeting-held", meeting=ONE)
        talk.ok("ku", "meeting-scheduled", meeting=OTHER, forum="ssd")
        assert talk.refused("ku", "meeting-scheduled", meeting=talk.fresh(), forum="ssd") == "ssd_limit"
        talk.ok("ku", "meeting-scheduled", meeting=talk.fresh(), forum="ssp")
        talk.ok("ku", "meeting-cancelled", meeting=OTHER)
        talk.ok("ku", "meeting-scheduled", meeting=talk.fresh(), forum="ssd")

    @pytest.mark.parametrize("party", ["ku", "dpo", "bolig-nord", "pet", "revision"])
    def test_who_may_be_invited(self, party: str) -> None:
        talk = coordinated()
        invited = ["sof", party]
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE, invited=invited) == "invited_not_eligible"

    def test_forum_has_its_parties(self) -> None:
        talk = coordinated()
        assert talk.refused("ku", "meeting-scheduled", meeting=ONE, invited=["sof", "tmf"]) == "forum_excludes_party"

    def test_forum_consent_has_whom_a_consent_to_meetings_covers(self) -> None:
        talk = coordinated(ADULT, "bif")
        asked = {"meeting": ONE, "forum": "consent", "invited": ["vink", "suf"]}
        talk.ok("bif", "consent-recorded", consent=talk.fresh(), scope=["measure"], recipients=["vink", "suf"])
        talk.ok("bif", "consent-recorded", consent=talk.fresh(), scope=["meeting"], recipients=["vink"])
        assert talk.refused("ku", "meeting-scheduled", **asked) == "forum_excludes_party"
        talk.ok("bif", "consent-recorded", consent=talk.fresh(), scope=["exit", "meeting"], recipients=["suf"])
        talk.ok("ku", "meeting-scheduled", **asked)

    def test_register_check_needs_a_meeting_ahead(self) -> None:
        talk = met()
        assert talk.refused("ku", "register-check-requested", meeting=OTHER) == "unknown_meeting"
        talk.ok("ku", "meeting-held", meeting=ONE)
        assert talk.refused("ku", "register-check-requested", meeting=ONE) == "unknown_meeting"

    def test_answer_in_its_order(self) -> None:
        talk = met()
        assert talk.refused("buf", "register-check-answered", meeting=OTHER) == "unknown_meeting"
        assert talk.refused("ku", "register-check-answered", meeting=ONE) == "not_invited"
        assert talk.refused("buf", "register-check-answered", meeting=ONE) == "not_requested"
        talk.ok("ku", "register-check-requested", meeting=ONE, expires_at="2026-02-01T10:00:00+01:00")
        talk.ok("buf", "register-check-answered", meeting=ONE, ce_time="2026-02-01T09:00:00Z")
        late = {"meeting": ONE, "ce_time": "2026-02-01T09:00:01Z"}
        assert talk.refused("buf", "register-check-answered", **late) == "check_expired"

    def test_the_newest_request_counts_and_the_clock_of_the_bus(self) -> None:
        talk = met()
        talk.ok("ku", "register-check-requested", meeting=ONE, expires_at="2026-12-01T10:00:00Z")
        talk.ok("ku", "register-check-requested", meeting=ONE, expires_at="2026-01-01T00:00:00Z")
        early = {"meeting": ONE, "ce_time": "2025-12-01T00:00:00Z"}  # the event's own time helps nobody
        assert talk.refused("buf", "register-check-answered", **early) == "check_expired"
        talk.ok("ku", "register-check-requested", meeting=ONE, expires_at="2026-12-01T10:00:00Z")
        talk.ok("buf", "register-check-answered", meeting=ONE)

    def test_who_attended_was_invited(self) -> None:
        talk = met()
        assert talk.refused("ku", "meeting-held", meeting=ONE, attended=["sof", "vink"]) == "attended_not_invited"
        talk.ok("ku", "meeting-held", meeting=ONE, attended=["sof"])
        assert talk.refused("ku", "meeting-held", meeting=ONE, attended=["sof"]) == "unknown_meeting"


class TestConsentAndMeasures:
    @pytest.mark.parametrize("outcome", ["advise", "police_only"])
    def test_the_case_is_active(self, outcome: str) -> None:
        talk = concerned()
        talk.ok("sof", "concern-screened", outcome=outcome)
        assert talk.refused("sof", "consent-recorded", consent=ONE) == "not_active"
        assert talk.refused("sof", "measure-started", measure=ONE) == "not_active"
        assert talk.refused("sof", "transfer-initiated", transfer=ONE) == "not_active"

    def test_consent_ids_and_withdrawals(self) -> None:
        talk = coordinated()
        given = {"consent": ONE, "scope": ["measure", "exit"], "recipients": ["vink", "ekp"]}
        talk.ok("sof", "consent-recorded", **given)
        assert talk.refused("sof", "consent-recorded", **given) == "duplicate_consent"
        for other in ({"scope": ["measure"]}, {"recipients": ["vink"]}, {"consent": OTHER}):
            withdrawal = {**given, **other, "state": "withdrawn"}
            assert talk.refused("sof", "consent-recorded", **withdrawal) == "unknown_consent"
        turned = {"consent": ONE, "scope": ["exit", "measure"], "recipients": ["ekp", "vink"]}
        talk.ok("sof", "consent-recorded", **turned, state="withdrawn")
        assert talk.refused("sof", "consent-recorded", **turned, state="withdrawn") == "unknown_consent"
        assert talk.refused("sof", "consent-recorded", **given) == "duplicate_consent"

    @pytest.mark.parametrize("reason", ["wrong_subject", "withdrawn"])
    def test_a_consent_undone_counts_as_withdrawn(self, reason: str) -> None:
        talk = coordinated()
        given = talk.ok("sof", "consent-recorded", consent=ONE)
        talk.ok("sof", "correction-issued", corrects=given.id, reason=reason)
        assert talk.refused("sof", "consent-recorded", consent=ONE, state="withdrawn") == "unknown_consent"

    def test_measures(self) -> None:
        talk = coordinated()
        talk.ok("sof", "measure-started", measure=ONE, provider="kriminalforsorgen")
        assert talk.refused("sof", "measure-started", measure=ONE) == "duplicate_measure"
        for provider in ("politi", "forening-havnen", "dpo", "sikkerby"):
            started = {"measure": OTHER, "provider": provider}
            assert talk.refused("sof", "measure-started", **started) == "provider_not_eligible"
        assert talk.refused("sof", "measure-ended", measure=OTHER) == "unknown_measure"
        talk.ok("sof", "measure-ended", measure=ONE)
        assert talk.refused("sof", "measure-ended", measure=ONE) == "unknown_measure"

    def test_exit(self) -> None:
        talk = coordinated(owner="vink")
        assert talk.refused("vink", "exit-enrolled", voluntary=False) == "not_voluntary"
        talk.ok("vink", "exit-enrolled")
        inactive = concerned()
        inactive.ok("sof", "concern-screened", outcome="advise", owner="vink")
        assert inactive.refused("vink", "exit-enrolled") == "not_active"


class TestTransfers:
    def test_one_at_a_time_and_ids_once(self) -> None:
        talk = pending()
        assert talk.refused("sof", "transfer-initiated", transfer=ONE) == "duplicate_transfer"
        assert talk.refused("sof", "transfer-initiated", transfer=OTHER) == "transfer_pending"
        assert talk.refused("sof", "case-closed") == "transfer_pending"
        talk.ok("sof", "transfer-cancelled", transfer=ONE)
        assert talk.refused("sof", "transfer-cancelled", transfer=ONE) == "unknown_transfer"
        talk.ok("sof", "transfer-initiated", transfer=OTHER)
        talk.ok("buf", "transfer-declined", transfer=OTHER)
        talk.ok("sof", "case-closed")

    @pytest.mark.parametrize("to", ["sof", "ku", "politi", "bolig-nord", "dpo"])
    def test_to_whom(self, to: str) -> None:
        assert coordinated().refused("sof", "transfer-initiated", transfer=ONE, to=to) == "recipient_not_eligible"

    def test_basis_is_a_child(self) -> None:
        pending("bif", "turning_18").ok("bif", "transfer-accepted", transfer=ONE)

    def test_basis_is_a_consent_to_the_handover(self) -> None:
        talk = coordinated(ADULT)
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        talk.ok("sof", "consent-recorded", consent=talk.fresh(), scope=["measure"], recipients=["suf"])
        talk.ok("sof", "consent-recorded", consent=talk.fresh(), scope=["handover"], recipients=["bif"])
        assert talk.refused("suf", "transfer-accepted", transfer=ONE) == "no_handover_basis"
        talk.ok("sof", "consent-recorded", consent=talk.fresh(), scope=["handover"], recipients=["suf"])
        talk.ok("suf", "transfer-accepted", transfer=ONE)

    @pytest.mark.parametrize(("attended", "taken"), [(["sof", "suf"], True), (["suf", "politi"], False)])
    def test_basis_is_a_meeting_of_both(self, *, attended: list[str], taken: bool) -> None:
        talk = coordinated(ADULT)
        talk.ok("ku", "meeting-scheduled", meeting=OTHER, forum="psp", invited=["sof", "suf", "politi"])
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        assert talk.refused("suf", "transfer-accepted", transfer=ONE) == "no_handover_basis"
        talk.ok("ku", "meeting-held", meeting=OTHER, attended=attended)
        assert (talk.say("suf", "transfer-accepted", transfer=ONE).decision is not None) is taken

    def test_a_meeting_by_consent_is_no_basis(self) -> None:
        talk = coordinated(ADULT)
        talk.ok("sof", "consent-recorded", consent=talk.fresh(), scope=["meeting"], recipients=["suf", "sof"])
        talk.ok("ku", "meeting-scheduled", meeting=OTHER, forum="consent", invited=["sof", "suf"])
        talk.ok("ku", "meeting-held", meeting=OTHER, attended=["sof", "suf"])
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        assert talk.refused("suf", "transfer-accepted", transfer=ONE) == "no_handover_basis"

    def test_whoever_turned_18_is_no_child_whatever_a_later_concern_says(self) -> None:
        talk = pending("bif", "turning_18")
        talk.ok("bif", "transfer-accepted", transfer=ONE)
        talk.ok("buf", "concern-raised", age_band="15_17")
        assert talk.refused("buf", "child-notification-forwarded") == "not_a_child"
        talk.ok("bif", "transfer-initiated", transfer=OTHER, to="suf")
        assert talk.refused("suf", "transfer-accepted", transfer=OTHER) == "no_handover_basis"


class TestPoliceCorrectionsRights:
    def test_police(self) -> None:
        talk = coordinated()
        assert talk.refused("sof", "police-disclosure-decided", threat_to_society=False) == "no_threat"
        one = ["00000000-0000-0000-0000-000000000001"]
        assert talk.refused("sof", "police-disclosure-decided", deciders=one) == "two_deciders"
        talk.ok("sof", "police-disclosure-decided")

    def test_corrections_of_ones_own_events_only(self) -> None:
        talk = concerned()
        first = next(iter(talk.state.said))
        assert talk.refused("sof", "correction-issued", corrects=first) == "not_your_event"
        assert talk.refused("buf", "correction-issued", corrects=OTHER) == "not_your_event"
        correction = talk.ok("buf", "correction-issued", corrects=first)
        talk.ok("buf", "correction-issued", corrects=first)  # may be said again
        assert talk.refused("buf", "correction-issued", corrects=correction.id) == "not_correctable"
        done = talk.ok("sof", "correction-acknowledged", correction=correction.id)
        assert talk.refused("sof", "correction-issued", corrects=done.id) == "not_correctable"

    def test_what_the_bus_said_is_nobodys_to_correct(self) -> None:
        talk = concerned()
        passed = talk.bus_says("deadline-passed")
        assert talk.refused("ku", "correction-issued", corrects=passed.id) == "not_your_event"

    def test_acknowledged_once_by_whoever_got_the_correction(self) -> None:
        talk = coordinated()
        first = next(iter(talk.state.said))
        correction = talk.ok("buf", "correction-issued", corrects=first)
        talk.ok("sof", "correction-acknowledged", correction=correction.id)
        assert talk.refused("sof", "correction-acknowledged", correction=correction.id) == "nothing_to_acknowledge"
        talk.ok("ku", "correction-acknowledged", correction=correction.id)
        assert talk.refused("buf", "correction-acknowledged", correction=correction.id) == "nothing_to_acknowledge"
        assert talk.refused("ku", "correction-acknowledged", correction=first) == "nothing_to_acknowledge"

    def test_an_answer_names_a_request(self) -> None:
        talk = coordinated()
        request = talk.ok("sof", "rights-request-received")
        talk.ok("sof", "rights-request-answered", request=request.id)
        assert talk.refused("sof", "rights-request-answered", request=OTHER) == "unknown_event"
