"""The policy's deadlines: which run after an event, which it meets, and what the bus says of one that passed.

A deadline runs from the time that the starting event's publisher gave it, and is met by an event that the bus recorded
before it passed. Both are facts of the log, so whether a deadline was missed does not hang on when anybody looked.
What was over already when its event was accepted is not said. Who answers for it is asked when it passes: a case's
new owner inherits its deadlines.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID, uuid5

from schemas.apply import ABOUT
from schemas.case import UNDOING, Case, Due
from schemas.case_facts import COORDINATION_UNIT, is_child
from schemas.check import BUS, TAKEN_WHEN_CLOSED
from schemas.clock_times import rfc3339
from schemas.contract import Contract, Deadline
from schemas.contract_words import SUBJECT_IS_CHILD
from schemas.envelope import Admitted, Event
from schemas.errors import UnknownWordError
from schemas.events.city import DeadlinePassed
from schemas.events.rights import CorrectionIssued
from schemas.periods import end_of, end_of_day

PASSED = "deadline-passed"
BUS_EVENTS = UUID("0b0a1c36-5c0c-5d8e-9e43-6a0f4a9b7c52")  # namespace of what the bus says by itself; fixed for ever
_OUTCOME_IS = "outcome is "


def running(contract: Contract, case: Case, admitted: Admitted) -> tuple[Due, ...]:
    """Return the deadlines that run after an event, which the case has taken already. Raises UnknownWordError."""
    event = admitted.event
    left = case.due
    if left and (case.closed or event.type in contract.ending or not contract.deadline.keys() >= _names(left)):
        left = tuple(due for due in left if not _over(contract, case, due, event))
    started = contract.started_by.get(event.type, ())
    if started:
        new = _started(case, admitted, started, left)
        left += tuple(due for due in new if not case.closed or _answerable(contract, due))
    return left


def _names(running_: Iterable[Due]) -> set[str]:
    return {due.deadline for due in running_}


def _over(contract: Contract, case: Case, due: Due, event: Event) -> bool:
    """Whether an event ended a deadline: said as passed, met, taken back with its event, or out of anybody's hands."""
    rule = contract.deadline.get(due.deadline)
    if rule is None:  # a later contract has no such deadline
        return True
    if event.type == PASSED:
        return (getattr(event.data, "deadline", None), event.trace.get("causationid")) == (due.deadline, due.event)
    if event.type in rule.met_by and _answers(contract, case, due, event):
        return True
    if isinstance(event.data, CorrectionIssued) and event.data.reason in UNDOING and event.data.corrects == due.event:
        return not _pending(case, due.event)
    if event.type == rule.starts and _superseded(rule, event):
        return True
    return case.closed and not _answerable(contract, due)


def _answers(contract: Contract, case: Case, due: Due, event: Event) -> bool:
    """Whether an event is about what started the deadline: of those that name an event or transfer, only the one named.

    An event is not that which it meets: a follow-up meets the deadline before it, and starts the next.
    """
    if event.id == due.event:
        return False
    about, started = case.said[event.id].about, case.said.get(due.event)
    if _names_an_event(contract, event.type):
        return about == due.event
    own = started.about if started else None
    return own is None or about is None or own == about or about not in case.transfers


def _names_an_event(contract: Contract, type_: str) -> bool:
    """Whether events of a type are about an earlier event; a meeting or transfer may by chance have the id of one."""
    field = contract.types[type_].fields.get(ABOUT.get(type_, ""))
    return field is not None and field.type == "event"


def _pending(case: Case, event: str) -> bool:
    """Whether an event initiated a transfer that still waits for its answer: a correction does not end it."""
    pending = case.pending_transfer
    return pending is not None and pending[1].event == event


def _superseded(rule: Deadline, event: Event) -> bool:
    """Whether a newer event of the starting type takes away the ground: a screening with another outcome."""
    return _by_outcome(rule) is not None and not _outcome_holds(rule, event)


def _answerable(contract: Contract, due: Due) -> bool:
    """Whether a closed case still takes what meets the deadline. What nobody can answer any more is not said."""
    rule = contract.deadline.get(due.deadline)
    return rule is not None and not TAKEN_WHEN_CLOSED.isdisjoint(rule.met_by)


def _started(case: Case, admitted: Admitted, rules: Iterable[Deadline], running_: tuple[Due, ...]) -> Iterable[Due]:
    event = admitted.event
    for rule in rules:
        if not _holds(rule, case, event) or (_by_outcome(rule) and any(due.deadline == rule.name for due in running_)):
            continue  # one that a screening started goes on: screening again does not give more time
        at = _passes_at(rule, event)
        if at is not None and at > admitted.seal.recorded:
            yield Due(rule.name, event.id, at)


def _holds(rule: Deadline, case: Case, event: Event) -> bool:
    if rule.condition is None:
        return True
    if rule.condition == SUBJECT_IS_CHILD:
        return is_child(case, event.id)
    if _by_outcome(rule):
        return _outcome_holds(rule, event)
    raise UnknownWordError("condition of a deadline")


def _by_outcome(rule: Deadline) -> str | None:
    """Return the outcome that the rule's condition asks for, if it asks for one."""
    condition = rule.condition or ""
    return condition.removeprefix(_OUTCOME_IS) if condition.startswith(_OUTCOME_IS) else None


def _outcome_holds(rule: Deadline, event: Event) -> bool:
    return getattr(event.data, "outcome", None) == _by_outcome(rule)


def _passes_at(rule: Deadline, event: Event) -> str | None:
    """Return the instant at which the deadline passes; None where the event names no day."""
    if rule.length is not None:
        return rfc3339(end_of(datetime.fromisoformat(event.time), rule.length))
    day: str | None = getattr(event.data, rule.until or "")
    return None if day is None else rfc3339(end_of_day(date.fromisoformat(day)))


def passed(contract: Contract, case: Case, due: Due, recorded: str) -> Event:
    """Return what the bus says of a deadline that has passed. The same deadline always has the same event id."""
    rule = contract.deadline[due.deadline]
    data = DeadlinePassed.model_validate(
        {"deadline": due.deadline, "due_at": due.at, "responsible": _responsible(rule, case, due)}
    )
    id_ = str(uuid5(BUS_EVENTS, f"{case.id}/{due.deadline}/{due.event}"))
    return Event(id_, BUS, PASSED, case.id, recorded, data, {"causationid": due.event})


def _responsible(rule: Deadline, case: Case, due: Due) -> str:
    """Return who answers for it now; the coordination unit where the role is nobody's."""
    if rule.responsible == "owner":
        return case.owner or COORDINATION_UNIT
    if rule.responsible == "new_owner":
        return next((t.to for t in case.transfers.values() if t.event == due.event), COORDINATION_UNIT)
    return rule.responsible
