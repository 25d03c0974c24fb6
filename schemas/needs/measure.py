"""What consent, measures and exit programmes need."""

from schemas.events.measure import ConsentRecorded, ExitEnrolled, MeasureEnded, MeasureStarted
from schemas.needs.claim import SERVING, Claim, Need, Needs, active


def _consent_is_new(claim: Claim, data: ConsentRecorded) -> bool:
    return data.state != "given" or data.consent not in claim.case.consents


def _consent_stands(claim: Claim, data: ConsentRecorded) -> bool:
    if data.state != "withdrawn":
        return True
    given = claim.case.consents.get(data.consent)
    return (
        given is not None
        and not given.withdrawn
        and given.recipients == set(data.recipients)
        and given.scope == set(data.scope)
    )


def _measure_is_new(claim: Claim, data: MeasureStarted) -> bool:
    return data.measure not in claim.case.measures


def _may_provide(claim: Claim, data: MeasureStarted) -> bool:
    return claim.kind(data.provider) in SERVING


def _measure_open(claim: Claim, data: MeasureEnded) -> bool:
    measure = claim.case.measures.get(data.measure)
    return measure is not None and not measure.ended


def _voluntary(_: Claim, data: ExitEnrolled) -> bool:
    return data.voluntary


NEEDS: Needs = {
    "consent-recorded": {
        "not_active": Need(active),
        "duplicate_consent": Need(_consent_is_new, ("consent",)),
        "unknown_consent": Need(_consent_stands, ("consent", "recipients", "scope")),
    },
    "measure-started": {
        "not_active": Need(active),
        "duplicate_measure": Need(_measure_is_new, ("measure",)),
        "provider_not_eligible": Need(_may_provide, ("provider",)),
    },
    "measure-ended": {"unknown_measure": Need(_measure_open, ("measure",))},
    "exit-enrolled": {"not_active": Need(active), "not_voluntary": Need(_voluntary, ("voluntary",))},
}
