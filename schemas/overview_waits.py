"""What the overview says is waited for: deadlines that were missed, corrections not acknowledged; and a legal hold.

Deadlines come from ku's views. Who was told of a correction, and that a hold stands, only the case's state knows: of
that the overview keeps one item for each, beside the items of events and under names that no event has.

A deadline is met by an event that the bus took after it had passed; what came earlier met an earlier one. Of views the
place says what came after; its own events ku reads in another topic, where the bus's clock says it. ku's view does not
say what started the deadline, so any later event that meets such a deadline does. What ku may not see meets nothing:
a request of a person stays missed until its case is closed, however late it was answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from schemas.overview_facts import PASSED, Item, moment

# The policy's deadlines and what meets them; a test holds it against every contract.
MET_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "assessment_24h": frozenset({"concern-screened"}),
        "notifier_receipt": frozenset({"notifier-receipted"}),
        "coordination_meeting": frozenset({"meeting-held"}),
        "first_follow_up": frozenset({"follow-up-held"}),
        "follow_up": frozenset({"follow-up-held"}),
        "transfer": frozenset({"transfer-accepted", "transfer-declined", "transfer-cancelled"}),
        "rights_request": frozenset({"rights-request-answered"}),
    }
)
CORRECTION = "correction-issued"
RECALLS, HOLD = "recalls", "hold"  # the types of the two items that come from the case's state
BESIDE = frozenset({RECALLS, HOLD})
WAITING, RECORDED = "waiting", "recorded"  # fields: of RECALLS; of ku's own events, the bus's clock


@dataclass(frozen=True, slots=True)
class Missed:
    """A deadline that passed and was not met since. `responsible`: the party that answers for it."""

    deadline: str
    due: datetime
    responsible: str


@dataclass(frozen=True, slots=True)
class Recall:
    """A correction that parties were told of and have not acknowledged. `reason` is None where ku never learned it."""

    correction: str
    reason: str | None
    waiting: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"correction": self.correction, "reason": self.reason, "waiting": list(self.waiting)}


def missed(items: Sequence[Item]) -> tuple[Missed, ...]:
    """Return the deadlines that were missed and are not met yet, the oldest first."""
    passed = [item for item in items if item.type == PASSED]
    open_ = {_missed(one) for one in passed if not any(_meets(item, one) for item in items)}
    return tuple(sorted(open_, key=lambda one: (one.due, one.deadline, one.responsible)))


def _missed(passed: Item) -> Missed:
    fields = passed.fields
    return Missed(fields["deadline"], moment(fields["due_at"]), fields["responsible"])


def _meets(item: Item, passed: Item) -> bool:
    if item.type not in MET_BY.get(passed.fields["deadline"], ()):
        return False
    recorded = item.fields.get(RECORDED)
    if recorded is None:
        return item.place > passed.place
    return moment(recorded) >= moment(passed.fields["due_at"])


def recalls(items: Iterable[Item]) -> tuple[Recall, ...]:
    """Return who has yet to acknowledge which correction, of those that ku itself was told of or issued."""
    items = list(items)
    waiting: Mapping[str, Sequence[str]] = next((item.fields[WAITING] for item in items if item.type == RECALLS), {})
    known = {item.event: item for item in items if item.type == CORRECTION}
    return tuple(
        Recall(id_, known[id_].fields.get("reason"), tuple(sorted(parties)))
        for id_, parties in sorted(waiting.items())
        if id_ in known
    )


def held_since(items: Iterable[Item]) -> datetime | None:
    """Return since when a legal hold stands; None where none does."""
    return next((item.time for item in items if item.type == HOLD), None)
