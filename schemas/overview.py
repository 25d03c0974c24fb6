"""The overview: one row for each case, folded from what ku may see of it. Cases, deadlines and counts.

No persons: nothing here names, finds, ranks or scores one.
What ku sees comes on two topics, its views and (of the log) its own events; who has yet to acknowledge a correction,
and a hold, with the case's state on a third; and nothing says which arrives first. So a row is a function of the set
of items: by identity wherever one event answers another (a meeting held, a transfer accepted), and by the publishers'
time only where the newest of several counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from schemas.overview_facts import BEGINNINGS, Facts, Handover, Item, Stage, take
from schemas.overview_waits import BESIDE, Missed, Recall, held_since, missed, recalls

# The fields that the overview uses of what ku may see: nothing else is kept. All are of class 0 or 1.
KEPT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "concern-screened": ("outcome", "owner"),
        "meeting-scheduled": ("meeting", "starts_at"),
        "meeting-held": ("meeting",),
        "meeting-cancelled": ("meeting",),
        "measure-started": ("measure",),
        "measure-ended": ("measure",),
        "transfer-initiated": ("transfer", "to", "due"),
        "transfer-accepted": ("transfer",),
        "transfer-declined": ("transfer",),
        "transfer-cancelled": ("transfer",),
        "case-closed": ("outcome",),
        "correction-issued": ("reason",),
        "correction-acknowledged": ("correction",),
        "deadline-passed": ("deadline", "due_at", "responsible"),
    }
)
_ENDINGS = ("case-closed", "case-erased")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case. `since`: when it came to its stage; `corrections`: those that ku has yet to acknowledge.

    `missed`: deadlines, while the case is open; `recalls`: corrections that anybody has yet to acknowledge; `hold`:
    since when nothing of the case is erased, None where its erasure takes its course.
    """

    case: str
    stage: Stage
    relative: bool
    owner: str | None
    outcome: str | None
    opened: datetime
    since: datetime
    changed: datetime
    meeting: datetime | None
    handover: Handover | None
    measures: int
    corrections: int
    missed: tuple[Missed, ...] = ()
    recalls: tuple[Recall, ...] = ()
    hold: datetime | None = None

    def body(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        waiting = self.handover
        return {
            "case": self.case,
            "stage": self.stage.value,
            "relative": self.relative,
            "owner": self.owner,
            "outcome": self.outcome,
            "opened": instant(self.opened),
            "since": instant(self.since),
            "changed": instant(self.changed),
            "meeting": None if self.meeting is None else instant(self.meeting),
            "handover": waiting and {"to": waiting.to, "due": waiting.due, "since": instant(waiting.since)},
            "measures": self.measures,
            "corrections": self.corrections,
            "missed": [
                {"deadline": one.deadline, "due": instant(one.due), "responsible": one.responsible}
                for one in self.missed
            ],
            "recalls": [one.body() for one in self.recalls],
            "hold": None if self.hold is None else instant(self.hold),
        }


def row(case: str, items: Iterable[Item]) -> CaseRow | None:
    """Return the case's row; None for a case of which ku has seen no event, and for one that was erased."""
    items = list(items)
    ordered = sorted((item for item in items if item.type not in BESIDE), key=_order)
    if not ordered or erased(ordered):
        return None
    facts, stage, since = Facts(), Stage.NEW, ordered[0].time
    for item in ordered:
        facts = take(facts, item)
        if facts.stage is not stage:
            stage, since = facts.stage, item.time
    return CaseRow(
        case=case,
        stage=stage,
        relative=facts.relative is not None,
        owner=facts.owned_by,
        outcome=facts.closed or facts.outcome,
        opened=ordered[0].time,
        since=since,
        changed=ordered[-1].time,
        meeting=None if stage is Stage.CLOSED else facts.next_meeting,
        handover=facts.handover,
        measures=0 if stage is Stage.CLOSED else len(facts.running),
        corrections=len(facts.told - facts.acknowledged),
        missed=() if stage is Stage.CLOSED else missed(ordered),
        recalls=recalls(items),
        hold=held_since(items),
    )


def erased(items: Iterable[Item]) -> bool:
    """Whether a case was erased: then nothing is kept of it but that."""
    return any(item.type == "case-erased" for item in items)


def _order(item: Item) -> tuple[datetime, int, int, str]:
    # At one and the same time: what opens a case first, what ends it last.
    rank = 0 if item.type in BEGINNINGS else 2 if item.type in _ENDINGS else 1
    return (item.time, rank, item.place, item.event)


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count the cases of each stage, the hand-overs that wait and the deadlines missed, in rows as JSON values."""
    numbers = dict.fromkeys([*(stage.value for stage in Stage), "handovers", "missed"], 0)
    for body in rows:
        numbers[body["stage"]] += 1
        numbers["handovers"] += body["handover"] is not None
        numbers["missed"] += len(body.get("missed", ()))  # a row that was folded by an earlier version has none
    return numbers


def instant(time: datetime) -> str:
    """Return an instant in UTC, to the second: no reader of the overview needs it finer."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
