"""Corrections and their acknowledgement, and the requests of persons and authorities."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Date, EventId, PartyId, Ref


class CorrectionIssued(EventData):
    """Berigtigelse: a party takes back or mends what it said."""

    corrects: Annotated[EventId, Class(0)]
    reason: Annotated[Literal["wrong_subject", "wrong_fact", "wrong_recipient", "withdrawn"], Class(0)]


class CorrectionAcknowledged(EventData):
    """Berigtigelse kvitteret: a recipient says what it did about it."""

    correction: Annotated[EventId, Class(0)]
    done: Annotated[Literal["deleted", "corrected", "never_used"], Class(0)]


class AuthorityRequestReceived(EventData):
    """Myndighedsanmodning modtaget: an authority asked for information."""

    requester: Annotated[PartyId, Class(1)]
    basis: Annotated[Literal["pet_act_4", "police_115", "court_order", "other"], Class(1)]
    request: Annotated[Ref, Class(4)]


class RightsRequestReceived(EventData):
    """Indsigtsanmodning m.v.: by its article of the GDPR."""

    article: Annotated[Literal["15", "16", "17", "18", "21"], Class(0)]
    received_on: Annotated[Date, Class(0)]


class RightsRequestAnswered(EventData):
    """Indsigtsanmodning m.v. besvaret."""

    request: Annotated[EventId, Class(0)]
