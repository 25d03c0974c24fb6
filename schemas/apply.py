"""The fold: what an accepted event changes in the state, one pure function per type.

It asks nothing and refuses nothing: `check` did, and replaying a log folds without checking. A type that
is not listed raises, since folding it as nothing would make later decisions wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from schemas.case import (
    KEPT_UTTERANCES,
    UNDOING,
    Case,
    Consent,
    Measure,
    Meeting,
    Said,
    Screening,
    State,
    Transfer,
    Utterances,
    key_of,
    saying,
)
from schemas.envelope import Event
from schemas.errors import StateError, UnknownWordError
from schemas.event_data import fields_of
from schemas.events import EVENTS
from schemas.events.concern import ConcernRaised, ConcernScreened, RelativeSupportStarted
from schemas.events.measure import ConsentRecorded, MeasureEnded, MeasureStarted
from schemas.events.meeting import MeetingCancelled, MeetingHeld, MeetingScheduled, RegisterCheckRequested
from schemas.events.rights import CorrectionAcknowledged, CorrectionIssued, RightsRequestReceived
from schemas.events.transfer import (
    CaseClosed,
    TransferAccepted,
    TransferCancelled,
    TransferDeclined,
    TransferInitiated,
)

# The fields of each type of event that hold vault references.
REFS: Mapping[str, tuple[str, ...]] = {
    name: tuple(field.name for field in fields_of(model).values() if field.is_ref) for name, model in EVENTS.items()
}
# The field that says what an event is about, where later judgements ask.
ABOUT: Mapping[str, str] = {
    "notifier-receipted": "concern",
    "meeting-scheduled": "meeting",
    "register-check-requested": "meeting",
    "register-check-answered": "meeting",
    "meeting-held": "meeting",
    "meeting-cancelled": "meeting",
    "consent-recorded": "consent",
    "measure-started": "measure",
    "measure-ended": "measure",
    "transfer-initiated": "transfer",
    "transfer-accepted": "transfer",
    "transfer-declined": "transfer",
    "transfer-cancelled": "transfer",
    "correction-issued": "corrects",
    "correction-acknowledged": "correction",
    "rights-request-answered": "request",
}


def _only_said(case: Case, _: Event, __: BaseModel) -> Case:
    return case


def _concern_screened(case: Case, event: Event, data: ConcernScreened) -> Case:
    closed = case.closed or data.outcome == "close"
    return replace(case, owner=data.owner, screening=Screening(data.outcome, event.party), closed=closed)


def _relative_support_started(case: Case, event: Event, _: RelativeSupportStarted) -> Case:
    screening = Screening("own_administration", event.party)  # as the catalogue counts it
    return replace(case, relative=True, owner=event.party, screening=screening)


def _with_meeting(case: Case, id_: str, meeting: Meeting) -> Case:
    return replace(case, meetings={**case.meetings, id_: meeting})


def _meeting_scheduled(case: Case, _: Event, data: MeetingScheduled) -> Case:
    return _with_meeting(case, data.meeting, Meeting(data.forum, data.invited, "scheduled"))


def _register_check_requested(case: Case, _: Event, data: RegisterCheckRequested) -> Case:
    meeting = replace(case.meetings[data.meeting], check_expires_at=data.expires_at)
    return _with_meeting(case, data.meeting, meeting)


def _meeting_held(case: Case, _: Event, data: MeetingHeld) -> Case:
    meeting = replace(case.meetings[data.meeting], state="held", attended=data.attended)
    return _with_meeting(case, data.meeting, meeting)


def _meeting_cancelled(case: Case, _: Event, data: MeetingCancelled) -> Case:
    return _with_meeting(case, data.meeting, replace(case.meetings[data.meeting], state="cancelled"))


def _consent_recorded(case: Case, event: Event, data: ConsentRecorded) -> Case:
    if data.state == "given":
        consent = Consent(frozenset(data.scope), frozenset(data.recipients), event.id)
    else:
        consent = replace(case.consents[data.consent], withdrawn=True)
    return replace(case, consents={**case.consents, data.consent: consent})


def _measure_started(case: Case, event: Event, data: MeasureStarted) -> Case:
    return replace(case, measures={**case.measures, data.measure: Measure(data.provider, event.id)})


def _measure_ended(case: Case, _: Event, data: MeasureEnded) -> Case:
    ended = replace(case.measures[data.measure], ended=True)
    return replace(case, measures={**case.measures, data.measure: ended})


def _with_transfer(case: Case, id_: str, transfer: Transfer) -> Case:
    return replace(case, transfers={**case.transfers, id_: transfer})


def _transfer_initiated(case: Case, event: Event, data: TransferInitiated) -> Case:
    # the owner says it, and nothing but this transfer can change the owner while it is pending
    transfer = Transfer(data.to, from_party=event.party, kind=data.kind, event=event.id, state="pending")
    return _with_transfer(case, data.transfer, transfer)


def _transfer_accepted(case: Case, event: Event, data: TransferAccepted) -> Case:
    accepted = replace(case.transfers[data.transfer], state="accepted", closing_event=event.id)
    return replace(_with_transfer(case, data.transfer, accepted), owner=accepted.to)


def _transfer_declined(case: Case, event: Event, data: TransferDeclined) -> Case:
    declined = replace(case.transfers[data.transfer], state="declined", closing_event=event.id)
    return _with_transfer(case, data.transfer, declined)


def _transfer_cancelled(case: Case, event: Event, data: TransferCancelled) -> Case:
    cancelled = replace(case.transfers[data.transfer], state="cancelled", closing_event=event.id)
    return _with_transfer(case, data.transfer, cancelled)


def _case_closed(case: Case, _: Event, __: CaseClosed) -> Case:
    return replace(case, closed=True)


def _correction_issued(case: Case, _: Event, data: CorrectionIssued) -> Case:
    said = case.said[data.corrects]
    place = len(case.said) - 1  # the correction itself was said last
    reasons = {data.reason: place, **said.corrected}  # the first of each reason counts
    corrected = saying(case, data.corrects, replace(said, corrected=reasons))
    return _without_consent(corrected, data.corrects) if data.reason in UNDOING else corrected


def _without_consent(case: Case, event: str) -> Case:
    """Count the consent that an event gave, if it gave one, as withdrawn."""
    undone = {id_: replace(consent, withdrawn=True) for id_, consent in case.consents.items() if consent.event == event}
    return replace(case, consents={**case.consents, **undone})


def _correction_acknowledged(case: Case, event: Event, data: CorrectionAcknowledged) -> Case:
    parties = (*case.acknowledged.get(data.correction, ()), event.party)
    return replace(case, acknowledged={**case.acknowledged, data.correction: parties})


FOLDS: Mapping[str, Callable[[Case, Event, Any], Case]] = {
    "concern-raised": _only_said,
    "child-notification-forwarded": _only_said,
    "notifier-receipted": _only_said,
    "concern-screened": _concern_screened,
    "meeting-scheduled": _meeting_scheduled,
    "register-check-requested": _register_check_requested,
    "register-check-answered": _only_said,
    "meeting-held": _meeting_held,
    "meeting-cancelled": _meeting_cancelled,
    "conversation-held": _only_said,
    "consent-recorded": _consent_recorded,
    "measure-started": _measure_started,
    "measure-ended": _measure_ended,
    "exit-enrolled": _only_said,
    "relative-support-started": _relative_support_started,
    "transfer-initiated": _transfer_initiated,
    "transfer-accepted": _transfer_accepted,
    "transfer-declined": _transfer_declined,
    "transfer-cancelled": _transfer_cancelled,
    "follow-up-held": _only_said,
    "police-disclosure-decided": _only_said,
    "case-closed": _case_closed,
    "correction-issued": _correction_issued,
    "correction-acknowledged": _correction_acknowledged,
    "authority-request-received": _only_said,
    "rights-request-received": _only_said,
    "rights-request-answered": _only_said,
    "deadline-passed": _only_said,
    "case-erased": _only_said,
}


def apply(state: State, event: Event) -> State:
    """Return the state with the event folded in. Raises UnknownWordError and StateError."""
    if event.key != key_of(state):
        raise StateError("the event is of another case or party")
    if isinstance(state, Utterances):
        return _uttered(state, event)
    if not isinstance(state, Case):
        raise StateError("the case was erased")
    if event.type not in FOLDS:
        raise UnknownWordError("type of event")
    said = saying(state, event.id, _said(event))
    return FOLDS[event.type](said, event, event.data)


def _said(event: Event) -> Said:
    data, values = event.data, vars(event.data)
    refs = {name: values[name] for name in REFS[event.type] if values[name] is not None}
    age_band = data.age_band if isinstance(data, ConcernRaised) else None
    article = data.article if isinstance(data, RightsRequestReceived) else None
    about: str | None = getattr(data, ABOUT[event.type]) if event.type in ABOUT else None
    return Said(event.party, event.type, refs, age_band, article, about)


def _uttered(state: Utterances, event: Event) -> Utterances:
    newest = [*state.said.items(), (event.id, ())][-KEPT_UTTERANCES:]
    return replace(state, said=dict(newest))
