"""The events of the bus: past-tense frozen facts, one model per type of the catalogue.

Written by hand, so that each field stands in the code with its class; the contract is refused at start
where it and these models differ.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.event_data import EventData
from schemas.events import city, concern, measure, meeting, rights, transfer

EVENTS: Final[Mapping[str, type[EventData]]] = MappingProxyType(
    {
        "concern-raised": concern.ConcernRaised,
        "child-notification-forwarded": concern.ChildNotificationForwarded,
        "notifier-receipted": concern.NotifierReceipted,
        "concern-screened": concern.ConcernScreened,
        "meeting-scheduled": meeting.MeetingScheduled,
        "register-check-requested": meeting.RegisterCheckRequested,
        "register-check-answered": meeting.RegisterCheckAnswered,
        "meeting-held": meeting.MeetingHeld,
        "meeting-cancelled": meeting.MeetingCancelled,
        "conversation-held": meeting.ConversationHeld,
        "consent-recorded": measure.ConsentRecorded,
        "measure-started": measure.MeasureStarted,
        "measure-ended": measure.MeasureEnded,
        "exit-enrolled": measure.ExitEnrolled,
        "relative-support-started": concern.RelativeSupportStarted,
        "transfer-initiated": transfer.TransferInitiated,
        "transfer-accepted": transfer.TransferAccepted,
        "transfer-declined": transfer.TransferDeclined,
        "transfer-cancelled": transfer.TransferCancelled,
        "follow-up-held": measure.FollowUpHeld,
        "police-disclosure-decided": transfer.PoliceDisclosureDecided,
        "case-closed": transfer.CaseClosed,
        "correction-issued": rights.CorrectionIssued,
        "correction-acknowledged": rights.CorrectionAcknowledged,
        "authority-request-received": rights.AuthorityRequestReceived,
        "rights-request-received": rights.RightsRequestReceived,
        "rights-request-answered": rights.RightsRequestAnswered,
        "prevention-activity-held": city.PreventionActivityHeld,
        "deadline-passed": city.DeadlinePassed,
        "case-erased": city.CaseErased,
    }
)
