"""One pass over one event: check, apply, decide, remember, note its terms. A replay does the same without checking.

A word of the contract that no function stands behind raises: the caller answers `internal`, nothing leaves.
"""

from schemas.apply import apply
from schemas.case import Case, State
from schemas.check import check
from schemas.contract import Contract
from schemas.decide import decide
from schemas.envelope import Admitted
from schemas.remember import remember
from schemas.terms import noted
from schemas.value import Value
from schemas.verdicts import Accepted, Verdict
from schemas.views import Decision


class Judgement(Value, frozen=True):
    """The state afterwards, what the publisher is told, what leaves (None where nothing new was accepted)."""

    state: State
    verdict: Verdict
    decision: Decision | None


def judge(contract: Contract, state: State, admitted: Admitted) -> Judgement:
    """Return the judgement of an event: refused and duplicate events change nothing."""
    verdict = check(contract, state, admitted)
    if verdict is not None:
        return Judgement(state, verdict, None)
    judged, decision = replay(contract, state, admitted)
    return Judgement(judged, Accepted(admitted.event.id, decision.withheld), decision)


def replay(contract: Contract, state: State, admitted: Admitted) -> tuple[State, Decision]:
    """Return state and decision of an event that was accepted: the same bytes as when it was judged."""
    folded = apply(state, admitted.event)
    decision = decide(contract, folded, admitted)
    remembered = remember(folded, admitted.event, decision)
    if not isinstance(remembered, Case):
        return remembered, decision
    return noted(contract, remembered, admitted, decision.written), decision
