"""Coordination meetings, the register checks for them, and conversations with the person."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Date, Flag, Instant, ListOf, PartyId, Ref, Uuid


class MeetingScheduled(EventData):
    """Koordinationsmøde indkaldt: who is invited, in which forum."""

    meeting: Annotated[Uuid, Class(0)]
    starts_at: Annotated[Instant, Class(0)]
    forum: Annotated[Literal["ssp", "psp", "ksp", "ssd", "consent"], Class(1)]
    invited: Annotated[ListOf[PartyId], Class(0)]


class RegisterCheckRequested(EventData):
    """Egenopslag anmodet: the invited look into their own registers, until it expires."""

    meeting: Annotated[Uuid, Class(0)]
    expires_at: Annotated[Instant, Class(0)]


class RegisterCheckAnswered(EventData):
    """Egenopslag besvaret: facts for that meeting only."""

    meeting: Annotated[Uuid, Class(0)]
    relevant: Annotated[Flag, Class(1)]
    facts: Annotated[Ref | None, Class(4)] = None


class MeetingHeld(EventData):
    """Møde afholdt: who came and what they recommend."""

    meeting: Annotated[Uuid, Class(0)]
    attended: Annotated[ListOf[PartyId], Class(0)]
    recommendation: Annotated[
        Literal["close", "advise", "measure", "exit", "transfer", "police", "follow_up"],
        Class(1),
    ]
    minutes: Annotated[Ref, Class(3)]


class MeetingCancelled(EventData):
    """Koordinationsmøde aflyst."""

    meeting: Annotated[Uuid, Class(0)]


class ConversationHeld(EventData):
    """Samtale afholdt: that it was held and how it went, never what was said."""

    held_on: Annotated[Date, Class(1)]
    outcome: Annotated[Literal["accepts_contact", "declines", "no_show", "continued"], Class(1)]
