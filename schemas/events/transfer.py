"""A case that changes hands, goes to the police, or ends."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Date, Flag, ListOf, PartyId, Ref, Uuid


class TransferInitiated(EventData):
    """Systemovergang varslet: the owner names who should take over."""

    transfer: Annotated[Uuid, Class(0)]
    to: Annotated[PartyId, Class(0)]
    kind: Annotated[
        Literal[
            "school_change",
            "youth_education",
            "turning_18",
            "municipality_move",
            "psychiatric_discharge",
            "release",
            "returnee",
        ],
        Class(1),
    ]
    due: Annotated[Date, Class(1)]
    dossier: Annotated[Ref, Class(3)]


class TransferAccepted(EventData):
    """Systemovergang modtaget: the new owner owns the case."""

    transfer: Annotated[Uuid, Class(0)]


class TransferDeclined(EventData):
    """Systemovergang afvist."""

    transfer: Annotated[Uuid, Class(0)]
    reason: Annotated[Literal["not_competent", "no_legal_basis", "incomplete", "moved"], Class(0)]


class TransferCancelled(EventData):
    """Systemovergang tilbagekaldt."""

    transfer: Annotated[Uuid, Class(0)]


class PoliceDisclosureDecided(EventData):
    """Videregivelse til politiet besluttet: two people decided, about observed behaviour."""

    threat_to_society: Annotated[Flag, Class(1)]
    deciders: Annotated[ListOf[Uuid], Class(1)]  # pseudonymous staff ids
    behaviour: Annotated[Ref, Class(4)]
    reasons: Annotated[Ref, Class(3)]
    person: Annotated[Ref, Class(2)]


class CaseClosed(EventData):
    """Sag afsluttet: retention starts."""

    outcome: Annotated[Literal["resolved", "no_basis", "moved", "declined", "handed_over"], Class(1)]
