"""What coordination meetings and the register checks for them need."""

from typing import TypeAlias

from schemas import case_facts
from schemas.case import Meeting
from schemas.events.meeting import (
    MeetingCancelled,
    MeetingHeld,
    MeetingScheduled,
    RegisterCheckAnswered,
    RegisterCheckRequested,
)
from schemas.needs.claim import Claim, Need, Needs
from schemas.recipients import OVERSIGHT
from schemas.vocabulary import instant

SSD_MEETINGS = 2

OfMeeting: TypeAlias = RegisterCheckRequested | RegisterCheckAnswered | MeetingHeld | MeetingCancelled


def _coordinating(claim: Claim, _: MeetingScheduled) -> bool:
    screening = claim.case.screening
    return screening is not None and screening.outcome == "coordinate"


def _meeting_is_new(claim: Claim, data: MeetingScheduled) -> bool:
    return data.meeting not in claim.case.meetings


def _age_fits_forum(claim: Claim, data: MeetingScheduled) -> bool:
    return case_facts.age_band(claim.case) in claim.contract.forums[data.forum].ages


def _within_ssd_limit(claim: Claim, data: MeetingScheduled) -> bool:
    meetings = claim.case.meetings.values()
    standing = sum(meeting.forum == "ssd" and meeting.state != "cancelled" for meeting in meetings)
    return data.forum != "ssd" or standing < SSD_MEETINGS


def _invited_may_come(claim: Claim, data: MeetingScheduled) -> bool:
    invited = (claim.contract.parties[party] for party in data.invited)
    return all(
        party.holds_case_data and party.id != case_facts.COORDINATION_UNIT and party.kind != OVERSIGHT
        for party in invited
    )


def _forum_includes_invited(claim: Claim, data: MeetingScheduled) -> bool:
    if data.forum == "consent":
        return all(case_facts.covered(claim.case, party, "meeting") for party in data.invited)
    return set(data.invited) <= claim.contract.forums[data.forum].parties


def _meeting(claim: Claim, data: OfMeeting) -> Meeting:
    return claim.case.meetings[data.meeting]


def _meeting_scheduled(claim: Claim, data: OfMeeting) -> bool:
    return data.meeting in claim.case.meetings and _meeting(claim, data).state == "scheduled"


def _was_invited(claim: Claim, data: RegisterCheckAnswered) -> bool:
    return claim.party in _meeting(claim, data).invited


def _check_requested(claim: Claim, data: RegisterCheckAnswered) -> bool:
    return _meeting(claim, data).check_expires_at is not None


def _check_open(claim: Claim, data: RegisterCheckAnswered) -> bool:
    expires = _meeting(claim, data).check_expires_at
    return expires is not None and instant(claim.recorded) <= instant(expires)


def _attended_were_invited(claim: Claim, data: MeetingHeld) -> bool:
    return set(data.attended) <= set(_meeting(claim, data).invited)


NEEDS: Needs = {
    "meeting-scheduled": {
        "not_coordinating": Need(_coordinating),
        "duplicate_meeting": Need(_meeting_is_new, ("meeting",)),
        "forum_age": Need(_age_fits_forum, ("forum",)),
        "ssd_limit": Need(_within_ssd_limit, ("forum",)),
        "invited_not_eligible": Need(_invited_may_come, ("invited",)),
        "forum_excludes_party": Need(_forum_includes_invited, ("invited",)),
    },
    "register-check-requested": {"unknown_meeting": Need(_meeting_scheduled, ("meeting",))},
    "register-check-answered": {
        "unknown_meeting": Need(_meeting_scheduled, ("meeting",)),
        "not_invited": Need(_was_invited, ("meeting",)),
        "not_requested": Need(_check_requested, ("meeting",)),
        "check_expired": Need(_check_open, ("meeting",)),
    },
    "meeting-held": {
        "unknown_meeting": Need(_meeting_scheduled, ("meeting",)),
        "attended_not_invited": Need(_attended_were_invited, ("attended",)),
    },
    "meeting-cancelled": {"unknown_meeting": Need(_meeting_scheduled, ("meeting",))},
}
