"""What corrections, their acknowledgement and the answers to requests need."""

from schemas.events.rights import CorrectionAcknowledged, CorrectionIssued, RightsRequestAnswered
from schemas.needs.claim import Claim, Need, Needs, was_said

NOT_CORRECTABLE = frozenset({"correction-issued", "correction-acknowledged"})


def _own_event(claim: Claim, data: CorrectionIssued) -> bool:
    said = claim.case.said.get(data.corrects)
    return said is not None and said.party == claim.party


def _correctable(claim: Claim, data: CorrectionIssued) -> bool:
    return claim.case.said[data.corrects].type not in NOT_CORRECTABLE


def _to_acknowledge(claim: Claim, data: CorrectionAcknowledged) -> bool:
    case = claim.case
    return (
        was_said(case, data.correction, "correction-issued")
        and claim.party in case.said[data.correction].shown
        and claim.party not in case.acknowledged.get(data.correction, ())
    )


def _request_known(claim: Claim, data: RightsRequestAnswered) -> bool:
    return was_said(claim.case, data.request, "rights-request-received")


NEEDS: Needs = {
    "correction-issued": {
        "not_your_event": Need(_own_event, ("corrects",)),
        "not_correctable": Need(_correctable, ("corrects",)),
    },
    "correction-acknowledged": {"nothing_to_acknowledge": Need(_to_acknowledge, ("correction",))},
    "rights-request-answered": {"unknown_event": Need(_request_known, ("request",))},
}
