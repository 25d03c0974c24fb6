"""What a case needs that changes hands, goes to the police, or ends."""

from schemas import case_facts
from schemas.events.transfer import (
    PoliceDisclosureDecided,
    TransferAccepted,
    TransferCancelled,
    TransferDeclined,
    TransferInitiated,
)
from schemas.needs.claim import SERVING, Claim, Need, Needs, active, nothing_pending


def _transfer_is_new(claim: Claim, data: TransferInitiated) -> bool:
    return data.transfer not in claim.case.transfers


def _may_take_over(claim: Claim, data: TransferInitiated) -> bool:
    eligible = data.to not in {case_facts.COORDINATION_UNIT, claim.case.owner}
    return eligible and claim.kind(data.to) in SERVING


def _transfer_pending(claim: Claim, data: TransferAccepted | TransferDeclined | TransferCancelled) -> bool:
    pending = claim.case.pending_transfer
    return pending is not None and pending[0] == data.transfer


def _handover_based(claim: Claim, _: TransferAccepted) -> bool:
    case = claim.case
    return case_facts.handover_basis(case, claim.party, case.owner, scope="handover", judged=None)


def _threat(_: Claim, data: PoliceDisclosureDecided) -> bool:
    return data.threat_to_society


def _two_decided(_: Claim, data: PoliceDisclosureDecided) -> bool:
    return len(set(data.deciders)) >= 2


NEEDS: Needs = {
    "transfer-initiated": {
        "not_active": Need(active),
        "duplicate_transfer": Need(_transfer_is_new, ("transfer",)),
        "transfer_pending": Need(nothing_pending),
        "recipient_not_eligible": Need(_may_take_over, ("to",)),
    },
    "transfer-accepted": {
        "unknown_transfer": Need(_transfer_pending, ("transfer",)),
        "no_handover_basis": Need(_handover_based, ("transfer",)),
    },
    "transfer-declined": {"unknown_transfer": Need(_transfer_pending, ("transfer",))},
    "transfer-cancelled": {"unknown_transfer": Need(_transfer_pending, ("transfer",))},
    "police-disclosure-decided": {
        "no_threat": Need(_threat, ("threat_to_society",)),
        "two_deciders": Need(_two_decided, ("deciders",)),
    },
    "case-closed": {"transfer_pending": Need(nothing_pending)},
}
