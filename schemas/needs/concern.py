"""What a concern needs, from the first words to the screening."""

from datetime import date

from schemas import case_facts
from schemas.contract import CITY
from schemas.events.concern import ConcernRaised, ConcernScreened, NotifierReceipted
from schemas.needs.claim import Claim, Need, Needs, nothing_pending, was_said
from schemas.vocabulary import instant

OWNERS = frozenset({"administration", "unit"})


def _signs_suffice(_: Claim, data: ConcernRaised) -> bool:
    return data.tier_1_signs >= 1 or data.tier_2_signs >= 2


def _observed_by_then(claim: Claim, data: ConcernRaised) -> bool:
    return date.fromisoformat(data.observed_on) <= instant(claim.event.time).astimezone(CITY).date()


def _about_a_child(claim: Claim, _: object) -> bool:
    return case_facts.is_child(claim.case)


def _concern_known(claim: Claim, data: NotifierReceipted) -> bool:
    return was_said(claim.case, data.concern, "concern-raised")


def _screened_by_whom_it_must(claim: Claim, _: ConcernScreened) -> bool:
    return claim.party == case_facts.CHILD_AUTHORITY or not case_facts.is_child(claim.case)


def _screened_anew(claim: Claim, data: ConcernScreened) -> bool:
    # again only by whoever screened last (so: first), and never as a way to hand the case over
    screening = claim.case.screening
    return screening is None or (screening.by == claim.party and data.owner == claim.case.owner)


def _closes_only_what_is_settled(claim: Claim, data: ConcernScreened) -> bool:
    return data.outcome != "close" or nothing_pending(claim, data)


def _may_own(claim: Claim, data: ConcernScreened) -> bool:
    return data.owner != case_facts.COORDINATION_UNIT and claim.kind(data.owner) in OWNERS


NEEDS: Needs = {
    "concern-raised": {
        "signs_insufficient": Need(_signs_suffice, ("tier_1_signs", "tier_2_signs")),
        "observed_in_future": Need(_observed_by_then, ("observed_on",)),
    },
    "child-notification-forwarded": {"not_a_child": Need(_about_a_child)},
    "notifier-receipted": {"unknown_event": Need(_concern_known, ("concern",))},
    "concern-screened": {
        "child_screened_by_sof": Need(_screened_by_whom_it_must),
        "already_screened": Need(_screened_anew, ("owner",)),
        "transfer_pending": Need(_closes_only_what_is_settled, ("outcome",)),
        "owner_not_eligible": Need(_may_own, ("owner",)),
    },
}
