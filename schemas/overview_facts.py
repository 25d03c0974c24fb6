"""What ku may see of one case, and what that adds up to.

An answer is kept apart from its question (a meeting held from the meeting scheduled), so that either may come
first: who says what stamps it, and clocks differ.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import field
from msgspec.structs import replace

from schemas.value import Value

OVERSEER = "ku"  # whose overview it is
BEGINNINGS = ("concern-raised", "relative-support-started")
PASSED = "deadline-passed"
_NO_ANSWERS = (*BEGINNINGS, PASSED)  # that nobody has answered in time is no answer


class Stage(StrEnum):
    """How far a case is, in the order of the process. The value is what the overview's readers get."""

    NEW = "new"  # a concern was raised; nobody has answered yet
    AWAITING = "awaiting"  # something was done, but it is not screened
    SCREENED = "screened"  # screened, and not for coordination: the owner's own, advice, or the police
    COORDINATED = "coordinated"  # screened for coordination
    MEASURE = "measure"  # a measure runs; a relative is being supported
    CLOSED = "closed"  # closed by its owner, or when screened


class Item(Value, frozen=True):
    """One event as ku may see it. `place` is its offset: it orders what one publisher said at one time."""

    event: str
    type: str
    party: str
    time: datetime
    place: int
    fields: Mapping[str, Any] = field(default_factory=dict)


class Handover(Value, frozen=True):
    """A transfer that waits for its new owner's answer."""

    to: str
    due: str
    since: datetime


class Facts(Value, frozen=True):
    """What the items so far add up to. Answers are kept apart from questions: either may come first."""

    answered: bool = False  # something but the concern itself was said
    relative: str | None = None  # who supports a relative
    outcome: str | None = None
    owner: str | None = None
    closed: str | None = None
    meetings: Mapping[str, datetime] = field(default_factory=dict)
    meetings_over: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    measures_over: frozenset[str] = frozenset()
    transfers: Mapping[str, Handover] = field(default_factory=dict)
    transfers_over: frozenset[str] = frozenset()
    accepted: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()  # corrections that ku was told of
    acknowledged: frozenset[str] = frozenset()

    @property
    def running(self) -> frozenset[str]:
        return self.measures - self.measures_over

    @property
    def stage(self) -> Stage:
        if self.closed is not None or self.outcome == "close":
            return Stage.CLOSED
        if self.running or self.relative:
            return Stage.MEASURE
        if self.outcome == "coordinate":
            return Stage.COORDINATED
        if self.outcome is not None:
            return Stage.SCREENED
        return Stage.AWAITING if self.answered else Stage.NEW

    @property
    def owned_by(self) -> str | None:
        # Only a transfer changes the owner: who screens again must name the one that is.
        heirs = [self.transfers[id_].to for id_ in self.accepted if id_ in self.transfers]
        return heirs[-1] if heirs else self.owner or self.relative

    @property
    def next_meeting(self) -> datetime | None:
        return min((at for id_, at in self.meetings.items() if id_ not in self.meetings_over), default=None)

    @property
    def handover(self) -> Handover | None:
        return next((t for id_, t in self.transfers.items() if id_ not in self.transfers_over), None)


_Step = Callable[[Facts, Item], Facts]


def _screened(facts: Facts, item: Item) -> Facts:
    return replace(facts, outcome=item.fields["outcome"], owner=item.fields["owner"])


def _scheduled(facts: Facts, item: Item) -> Facts:
    meetings = {**facts.meetings, item.fields["meeting"]: moment(item.fields["starts_at"])}
    return replace(facts, meetings=meetings)


def _meeting_over(facts: Facts, item: Item) -> Facts:
    return replace(facts, meetings_over=facts.meetings_over | {item.fields["meeting"]})


def _measure_started(facts: Facts, item: Item) -> Facts:
    return replace(facts, measures=facts.measures | {item.fields["measure"]})


def _measure_ended(facts: Facts, item: Item) -> Facts:
    return replace(facts, measures_over=facts.measures_over | {item.fields["measure"]})


def _relative_supported(facts: Facts, item: Item) -> Facts:
    return replace(facts, relative=item.party)


def _transfer_initiated(facts: Facts, item: Item) -> Facts:
    handover = Handover(item.fields["to"], item.fields["due"], item.time)
    return replace(facts, transfers={**facts.transfers, item.fields["transfer"]: handover})


def _transfer_over(facts: Facts, item: Item) -> Facts:
    return replace(facts, transfers_over=facts.transfers_over | {item.fields["transfer"]})


def _transfer_accepted(facts: Facts, item: Item) -> Facts:
    return replace(_transfer_over(facts, item), accepted=(*facts.accepted, item.fields["transfer"]))


def _closed(facts: Facts, item: Item) -> Facts:
    return replace(facts, closed=item.fields["outcome"])


def _correction_told(facts: Facts, item: Item) -> Facts:
    return facts if item.party == OVERSEER else replace(facts, told=facts.told | {item.event})


def _correction_acknowledged(facts: Facts, item: Item) -> Facts:
    if item.party != OVERSEER:
        return facts
    return replace(facts, acknowledged=facts.acknowledged | {item.fields["correction"]})


_STEPS: Mapping[str, _Step] = {
    "concern-screened": _screened,
    "meeting-scheduled": _scheduled,
    "meeting-held": _meeting_over,
    "meeting-cancelled": _meeting_over,
    "measure-started": _measure_started,
    "measure-ended": _measure_ended,
    "relative-support-started": _relative_supported,
    "transfer-initiated": _transfer_initiated,
    "transfer-accepted": _transfer_accepted,
    "transfer-declined": _transfer_over,
    "transfer-cancelled": _transfer_over,
    "case-closed": _closed,
    "correction-issued": _correction_told,
    "correction-acknowledged": _correction_acknowledged,
}


def take(facts: Facts, item: Item) -> Facts:
    """Return the facts with one item more."""
    seen = facts if facts.answered or item.type in _NO_ANSWERS else replace(facts, answered=True)
    step = _STEPS.get(item.type)
    return step(seen, item) if step else seen


def moment(text: str) -> datetime:
    """Return the instant that an RFC 3339 text names."""
    return datetime.fromisoformat(text).astimezone(UTC)
