"""The fold: what each type of event changes in the case, and what corrections undo."""

import pytest
from msgspec.structs import replace

from schemas.apply import FOLDS, apply
from schemas.case import Case, Consent, Measure, Meeting, Screening, Transfer, Utterances
from schemas.case_facts import age_band, is_child
from schemas.clock_times import rfc3339
from schemas.errors import StateError, UnknownWordError
from schemas.events import EVENTS
from tests.unit.sayings import (
    ADULT,
    CASE,
    ONE,
    OTHER,
    OTHER_CASE,
    Talk,
    concerned,
    coordinated,
    met,
    pending,
    relatives,
)


def test_every_type_with_a_case_has_a_fold() -> None:
    assert set(FOLDS) == set(EVENTS) - {"prevention-activity-held"}


def test_an_unknown_type_or_another_state_raises() -> None:
    event = concerned().bus.accepted[-1].event
    with pytest.raises(UnknownWordError):
        apply(Case(CASE), replace(event, type="person-listed"))
    with pytest.raises(StateError):
        apply(Case(OTHER_CASE), event)
    with pytest.raises(StateError):
        apply(Utterances("buf"), event)
    activity = Talk()
    activity.ok("vink", "prevention-activity-held")
    with pytest.raises(StateError):
        apply(Utterances("buf"), activity.bus.accepted[-1].event)


def test_the_state_before_stays_as_it_was() -> None:
    talk = coordinated()
    before = talk.state
    copy = replace(before, said=dict(before.said))
    talk.ok("sof", "correction-issued", corrects=[*before.said][-1])
    talk.ok("ku", "meeting-scheduled", meeting=ONE)
    assert before == copy


def test_an_event_is_remembered_by_its_references_and_never_by_values() -> None:
    talk = Talk()
    heard = talk.ok("buf", "concern-raised", narrative="ref", notifier="ref")
    said = talk.state.said[heard.id]
    assert set(said.refs) == {"signs", "person", "narrative", "notifier"}
    assert (said.party, said.type, said.age_band, said.about) == ("buf", "concern-raised", "15_17", None)


class TestFolds:
    def test_screening_gives_owner_and_closes_only_with_close(self) -> None:
        talk = concerned()
        talk.ok("sof", "concern-screened", outcome="advise", owner="bif")
        assert (talk.state.owner, talk.state.screening) == ("bif", Screening("advise", "sof"))
        assert (talk.state.closed, talk.state.active) == (False, False)
        talk.ok("sof", "concern-screened", outcome="own_administration", owner="bif")
        assert (talk.state.closed, talk.state.active) == (False, True)
        talk.ok("sof", "concern-screened", outcome="close", owner="bif")
        assert (talk.state.closed, talk.state.active) == (True, False)

    def test_relatives_case(self) -> None:
        state = relatives().state
        assert (state.relative, state.owner, state.active) == (True, "vink", True)
        assert state.screening == Screening("own_administration", "vink")

    def test_meeting(self) -> None:
        talk = met()
        assert talk.state.meetings == {ONE: Meeting("ssp", ("sof", "buf"), "scheduled")}
        talk.ok("ku", "register-check-requested", meeting=ONE, expires_at="2026-12-01T00:00:00+01:00")
        talk.ok("ku", "meeting-held", meeting=ONE, attended=["buf"])
        held = Meeting("ssp", ("sof", "buf"), "held", ("buf",), "2026-12-01T00:00:00+01:00", rfc3339(talk.bus.now))
        assert talk.state.meetings[ONE] == held

    def test_consent_and_measure(self) -> None:
        talk = coordinated()
        given = talk.ok("sof", "consent-recorded", consent=ONE)
        started = talk.ok("sof", "measure-started", measure=OTHER)
        assert talk.state.consents == {ONE: Consent(frozenset({"measure"}), frozenset({"vink"}), given.id)}
        assert talk.state.measures == {OTHER: Measure("vink", started.id)}
        talk.ok("sof", "consent-recorded", consent=ONE, state="withdrawn")
        talk.ok("sof", "measure-ended", measure=OTHER)
        assert talk.state.consents[ONE].withdrawn
        assert talk.state.consents[ONE].event == given.id
        assert talk.state.measures[OTHER].ended

    def test_transfer(self) -> None:
        talk = pending()
        initiated = [*talk.state.said][-1]
        assert talk.state.pending_transfer == (ONE, Transfer("buf", "sof", "school_change", initiated, "pending"))
        accepted = talk.ok("buf", "transfer-accepted", transfer=ONE)
        assert talk.state.owner == "buf"
        assert talk.state.transfers[ONE] == Transfer("buf", "sof", "school_change", initiated, "accepted", accepted.id)
        assert talk.state.pending_transfer is None

    def test_a_closed_case_stays_closed(self) -> None:
        talk = coordinated()
        screened = talk.bus.accepted[-1].event
        talk.ok("sof", "case-closed")
        state = apply(talk.state, replace(screened, id=OTHER))
        assert isinstance(state, Case)
        assert state.closed


class TestCorrections:
    @pytest.mark.parametrize("reason", ["wrong_fact", "wrong_recipient"])
    def test_these_undo_nothing(self, reason: str) -> None:
        talk = coordinated()
        given = talk.ok("sof", "consent-recorded", consent=ONE)
        concern = next(iter(talk.state.said))
        for party, event in (("buf", concern), ("sof", given.id)):
            talk.ok(party, "correction-issued", corrects=event, reason=reason)
        assert is_child(talk.state)
        assert not talk.state.said[concern].undone
        assert not talk.state.consents[ONE].withdrawn

    @pytest.mark.parametrize("reason", ["wrong_subject", "withdrawn"])
    def test_the_age_band_of_a_concern_undone_counts_no_more(self, reason: str) -> None:
        talk = concerned(ADULT)
        child = talk.ok("buf", "concern-raised", age_band="under_10")
        assert age_band(talk.state) == "under_10"
        talk.ok("buf", "correction-issued", corrects=child.id, reason=reason)
        assert age_band(talk.state) == ADULT
        assert not is_child(talk.state)

    def test_without_a_concern_that_stands_there_is_no_age_and_no_child(self) -> None:
        talk = concerned()
        talk.ok("buf", "correction-issued", corrects=next(iter(talk.state.said)), reason="wrong_subject")
        assert age_band(talk.state) is None
        assert not is_child(talk.state)
        assert not is_child(relatives().state)

    def test_they_undo_exactly_what_is_listed(self) -> None:
        talk = pending()
        initiated = [*talk.state.said][-1]
        screened = [*talk.state.said][1]
        talk.ok("sof", "correction-issued", corrects=initiated, reason="withdrawn")
        talk.ok("sof", "correction-issued", corrects=screened, reason="withdrawn")
        assert talk.state.pending_transfer is not None
        assert talk.state.active
        assert talk.state.owner == "sof"

    def test_correcting_a_withdrawal_gives_no_consent_back(self) -> None:
        talk = coordinated()
        talk.ok("sof", "consent-recorded", consent=ONE)
        withdrawal = talk.ok("sof", "consent-recorded", consent=ONE, state="withdrawn")
        talk.ok("sof", "correction-issued", corrects=withdrawal.id, reason="withdrawn")
        assert talk.state.consents[ONE].withdrawn

    def test_the_first_of_each_reason_keeps_its_place(self) -> None:
        talk = concerned()
        concern = next(iter(talk.state.said))
        for reason in ("wrong_fact", "withdrawn", "wrong_fact"):
            talk.ok("buf", "correction-issued", corrects=concern, reason=reason)
        said = talk.state.said[concern]
        assert said.corrected == {"wrong_fact": 1, "withdrawn": 2}
        assert not said.undone_before(1)
        assert said.undone_before(2)


def test_acknowledgements_are_kept_by_correction() -> None:
    talk = coordinated()
    correction = talk.ok("buf", "correction-issued", corrects=next(iter(talk.state.said)))
    talk.ok("sof", "correction-acknowledged", correction=correction.id)
    talk.ok("ku", "correction-acknowledged", correction=correction.id)
    assert talk.state.acknowledged == {correction.id: ("sof", "ku")}
