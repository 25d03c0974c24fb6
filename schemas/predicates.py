"""The predicates of the policy's gates: on which conditions of law a party may see what a rule releases.

Each answers a Question and names the predicate that failed, whose reason the policy file gives. They are
asked of the case as it stands: when an event is decided, and again whenever somebody opens a reference.
"""

from collections.abc import Callable, Mapping

from schemas import case_facts
from schemas.case import Case, State
from schemas.contract import AUTHORITY_KINDS, Contract, Rule
from schemas.errors import StateError, UnknownWordError
from schemas.value import Value

MAY_NOT_HOLD = "may_not_hold_case_data"


class Question(Value, frozen=True):
    """May this party see what this rule releases of this event (an id), the state being what it is?"""

    contract: Contract
    state: State
    event: str
    rule: Rule
    party: str

    @property
    def case(self) -> Case:
        """The case. Raises StateError where there is none: such a gate cannot hold."""
        if not isinstance(self.state, Case):
            raise StateError("a gate asks about a case, the event has none")
        return self.state


def _subject_is_child(question: Question) -> str | None:
    return None if case_facts.is_child(question.case, question.event) else "subject_is_child"


def _consent_covers(question: Question) -> str | None:
    covered = case_facts.covered(question.case, question.party, question.rule.consent)
    return None if covered else "consent_covers"


def _forum_permits(question: Question) -> str | None:
    name = case_facts.meeting_of(question.case, question.event).forum
    if name == "consent":
        return _consent_covers(question)
    forum = question.contract.forums.get(name)  # a forum that this contract no longer knows permits nobody
    return None if forum and question.party in forum.parties else "forum_permits"


def _handover_basis(question: Question) -> str | None:
    closed = (t for t in question.case.transfers.values() if t.closing_event == question.event)
    owner_before = next((transfer.from_party for transfer in closed), question.case.owner)
    basis = case_facts.handover_basis(
        question.case, question.party, owner_before, scope=question.rule.consent, judged=question.event
    )
    return None if basis else "handover_basis"


def _police_decided(question: Question) -> str | None:
    decisions = (said for said in question.case.said.values() if said.type == "police-disclosure-decided")
    return None if any(not decision.undone for decision in decisions) else "police_decided"


def _is_authority(question: Question) -> str | None:
    kind = question.contract.parties[question.party].kind
    return None if kind in AUTHORITY_KINDS else "is_authority"


PREDICATES: Mapping[str, Callable[[Question], str | None]] = {
    "subject_is_child": _subject_is_child,
    "forum_permits": _forum_permits,
    "consent_covers": _consent_covers,
    "handover_basis": _handover_basis,
    "police_decided": _police_decided,
    "is_authority": _is_authority,
}


def failure(contract: Contract, state: State, event: str, rule: Rule, party: str) -> str | None:
    """Return the reason why a party may not see what a rule releases of an event (an id), or None.

    Raises UnknownWordError.
    """
    if not (contract.parties[party].holds_case_data or rule.non_holder):
        return MAY_NOT_HOLD
    if not rule.gate.predicates:
        return None
    question = Question(contract, state, event, rule, party)
    for name in rule.gate.predicates:
        if name not in PREDICATES:
            raise UnknownWordError(f"predicate of gate {rule.gate.name}")
        if failed := PREDICATES[name](question):
            return contract.predicates[failed]
    return None
