"""Consent, and what is done with it: measures, exit programmes, follow-up."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Date, Flag, Kle, ListOf, PartyId, Ref, Uuid


class ConsentRecorded(EventData):
    """Samtykke registreret: what the person agreed to, for whom; or took back."""

    consent: Annotated[Uuid, Class(0)]
    scope: Annotated[ListOf[Literal["meeting", "measure", "exit", "handover"]], Class(1)]
    recipients: Annotated[ListOf[PartyId], Class(0)]
    state: Annotated[Literal["given", "withdrawn"], Class(1)]


class MeasureStarted(EventData):
    """Indsats iværksat: a measure and who provides it."""

    measure: Annotated[Uuid, Class(0)]
    kind: Annotated[
        Literal["mentor", "parent_coach", "job_education", "family", "street", "psychologist"],
        Class(1),
    ]
    kle: Annotated[Kle | None, Class(0)] = None
    provider: Annotated[PartyId, Class(0)]
    plan: Annotated[Ref | None, Class(3)] = None


class MeasureEnded(EventData):
    """Indsats afsluttet."""

    measure: Annotated[Uuid, Class(0)]
    reason: Annotated[Literal["completed", "withdrawn", "moved", "replaced"], Class(1)]


class ExitEnrolled(EventData):
    """Exitforløb påbegyndt: voluntary, or refused."""

    voluntary: Annotated[Flag, Class(1)]
    plan: Annotated[Ref, Class(4)]


class FollowUpHeld(EventData):
    """Opfølgning afholdt: how it goes and when to look again."""

    progress: Annotated[Literal["better", "unchanged", "worse"], Class(1)]
    next_due: Annotated[Date | None, Class(1)] = None
