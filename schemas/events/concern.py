"""A concern, from the first words to the screening, and a relative's own case."""

from typing import Annotated, Literal

from schemas.event_data import EventData
from schemas.vocabulary import Class, Count, Date, EventId, Flag, Instant, PartyId, Ref


class ConcernRaised(EventData):
    """Bekymring modtaget: somebody saw acts that worry; never belief, dress, opinion or appearance."""

    source_type: Annotated[
        Literal[
            "school",
            "youth_club",
            "housing",
            "street",
            "relative",
            "health",
            "police",
            "other_authority",
            "citizen",
        ],
        Class(1),
    ]
    age_band: Annotated[Literal["under_10", "10_14", "15_17", "18_24", "25_plus"], Class(1)]
    observed_on: Annotated[Date, Class(1)]
    tier_1_signs: Annotated[Count, Class(1)]  # serious acts: one suffices
    tier_2_signs: Annotated[Count, Class(1)]  # other acts: two at least
    protective_factors: Annotated[Count, Class(1)]
    signs: Annotated[Ref, Class(3)]  # the coded acts, each with the date it was observed
    person: Annotated[Ref, Class(2)]
    narrative: Annotated[Ref | None, Class(3)] = None
    notifier: Annotated[Ref | None, Class(2)] = None


class ChildNotificationForwarded(EventData):
    """Underretning videresendt: a notification about a child, passed on to the social administration."""

    received_at: Annotated[Instant, Class(1)]
    person: Annotated[Ref, Class(2)]
    narrative: Annotated[Ref, Class(3)]


class NotifierReceipted(EventData):
    """Underretter kvitteret: whoever raised the concern was told that it arrived."""

    concern: Annotated[EventId, Class(0)]
    examination_started: Annotated[Flag, Class(1)]


class ConcernScreened(EventData):
    """Bekymring visiteret: what becomes of the concern, and who owns the case from here."""

    outcome: Annotated[
        Literal["close", "advise", "own_administration", "coordinate", "police_only"],
        Class(1),
    ]
    owner: Annotated[PartyId, Class(0)]
    grounds: Annotated[Ref, Class(3)]


class RelativeSupportStarted(EventData):
    """Pårørendestøtte iværksat: a relative's case is a case of its own and links to none."""

    kind: Annotated[Literal["parent_course", "parent_coach", "network", "counselling"], Class(1)]
    relative: Annotated[Ref, Class(2)]
