"""What has no person behind it, and what only the bus itself says."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Count, Date, Instant, ListOf, PartyId


class PreventionActivityHeld(EventData):
    """Forebyggende aktivitet afholdt: outside any case."""

    area: Annotated[
        Literal["coordination", "preventive", "anticipatory", "intervening", "knowledge"],
        Class(0),
    ]
    kind: Annotated[
        Literal[
            "communication",
            "citizenship",
            "association",
            "media_literacy",
            "parent_course",
            "staff_training",
            "housing_info",
            "outreach",
            "conference_dk",
            "conference_nordic",
            "research",
            "policy",
        ],
        Class(0),
    ]
    held_on: Annotated[Date, Class(0)]
    participants: Annotated[Count | None, Class(0)] = None


class DeadlinePassed(EventData):
    """Frist overskredet: said by the bus."""

    deadline: Annotated[
        Literal[
            "assessment_24h",
            "notifier_receipt",
            "coordination_meeting",
            "first_follow_up",
            "follow_up",
            "transfer",
            "rights_request",
        ],
        Class(0),
    ]
    due_at: Annotated[Instant, Class(0)]
    responsible: Annotated[PartyId, Class(0)]


class CaseErased(EventData):
    """Sag slettet: said by the bus; who held something of it."""

    reason: Annotated[Literal["retention", "rejected_concern", "rights_request", "wrong_subject"], Class(0)]
    recipients: Annotated[ListOf[PartyId], Class(0)]
