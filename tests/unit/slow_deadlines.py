"""Which deadlines pass in a history, worked out slowly from what was said: one deadline at a time, by looking ahead.

It shares nothing with schemas/deadlines.py, terms.py, retention.py or the state: it reads the records themselves.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.records import Inbound
from tests.unit.partition import Passed
from tests.unit.slow_calendar import DAY, begins, slow

CHILDREN = {"under_10", "10_14", "15_17"}
TAKING_BACK = {"withdrawn", "wrong_subject"}
STARTS = {
    "concern-raised": ["assessment_24h", "notifier_receipt"],
    "concern-screened": ["coordination_meeting"],
    "measure-started": ["first_follow_up"],
    "follow-up-held": ["follow_up"],
    "transfer-initiated": ["transfer"],
    "rights-request-received": ["rights_request"],
}
LENGTHS = {
    "notifier_receipt": "6 working days",
    "coordination_meeting": "14 days",
    "first_follow_up": "3 months",
    "rights_request": "1 month",
}
UNTIL = {"follow_up": "next_due", "transfer": "due"}
MEETS = {
    "assessment_24h": {"concern-screened"},
    "notifier_receipt": {"notifier-receipted"},
    "coordination_meeting": {"meeting-held"},
    "first_follow_up": {"follow-up-held"},
    "follow_up": {"follow-up-held"},
    "transfer": {"transfer-accepted", "transfer-declined", "transfer-cancelled"},
    "rights_request": {"rights-request-answered"},
}


@dataclass(frozen=True)
class Told:
    """What a party said, as its record has it."""

    id: str
    type: str
    party: str
    time: datetime
    recorded: datetime
    data: dict[str, Any]


def told(record: Inbound) -> Told:
    """Read a record of the admitted topic."""
    head = {name: (value or b"").decode() for name, value in record.headers}
    type_, party = head["ce_type"].split(".")[2], head["ce_source"].split(":")[-1]
    said, recorded = datetime.fromisoformat(head["ce_time"]), datetime.fromisoformat(head["ce_recordedtime"])
    return Told(head["ce_id"], type_, party, said, recorded, json.loads(record.value or b""))


def slow_passed(history: Sequence[Told], end: datetime) -> list[Passed]:
    """Return what passed by the end, if somebody looked at the case then and never before."""
    return sorted(_passed(history, end))


def slow_erased(history: Sequence[Told]) -> datetime:
    """Return when the case is to be erased, if nothing more is said of it."""
    return min(_gone(history))


def _passed(history: Sequence[Told], end: datetime) -> Iterator[Passed]:
    last = min(end, slow_erased(history))
    for place, start in enumerate(history):
        for name in STARTS.get(start.type, ()):
            due = _due(name, start)
            if due is None or not _begins(name, history, place, due) or due > last:
                continue
            if not any(_ends(name, history, place, after) for after in _until(history, place, due)):
                who = _responsible(name, start, [said for said in history if said.recorded < due])
                at = due.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                yield Passed(at, name, start.id, who, tuple(sorted({"ku", who})))


def _due(name: str, start: Told) -> datetime | None:
    """Return when it passes: hours go by a minute at a time, days one by one."""
    if name == "assessment_24h":
        return slow(start.time, "24 hours")
    if name in LENGTHS:
        return slow(start.time, LENGTHS[name])
    day = start.data.get(UNTIL[name])
    return None if day is None else begins(datetime.fromisoformat(day).date() + DAY)


def _begins(name: str, history: Sequence[Told], place: int, due: datetime) -> bool:
    start, so_far = history[place], history[: place + 1]
    if due <= start.recorded or (_closed(so_far) and name != "rights_request"):
        return False
    if name in {"assessment_24h", "notifier_receipt"}:
        return _child(so_far)
    if name == "coordination_meeting":
        return start.data["outcome"] == "coordinate" and not _waits_for_a_meeting(history, place)
    return True


def _waits_for_a_meeting(history: Sequence[Told], place: int) -> bool:
    """Whether an earlier screening's 14 days go on: then a newer one gives no more time."""
    for earlier in range(place):
        start, name = history[earlier], "coordination_meeting"
        due = _due(name, start) if start.type == "concern-screened" else None
        if due is None or due <= history[place].recorded or not _begins(name, history, earlier, due):
            continue
        if not any(_ends(name, history, earlier, after) for after in range(earlier + 1, place + 1)):
            return True
    return False


def _until(history: Sequence[Told], place: int, due: datetime) -> Iterable[int]:
    return (after for after in range(place + 1, len(history)) if history[after].recorded < due)


def _ends(name: str, history: Sequence[Told], place: int, after: int) -> bool:
    """Whether what was said after meets the deadline, takes its ground away, or leaves nobody to meet it."""
    start, said = history[place], history[after]
    if said.type in MEETS[name] and _of(said, start):
        return True
    if name == "coordination_meeting" and said.type == "concern-screened" and said.data["outcome"] != "coordinate":
        return True
    if name != "transfer" and _takes_back(said, start):
        return True
    return name != "rights_request" and _closed(history[: after + 1])


def _of(said: Told, start: Told) -> bool:
    """Whether what meets such deadlines is about this one."""
    about: dict[str, Any] = {
        "notifier-receipted": said.data.get("concern") == start.id,
        "rights-request-answered": said.data.get("request") == start.id,
    }
    if said.type.startswith("transfer-"):
        return bool(said.data["transfer"] == start.data["transfer"])
    return bool(about.get(said.type, True))


def _takes_back(said: Told, event: Told) -> bool:
    return said.type == "correction-issued" and said.data["corrects"] == event.id and said.data["reason"] in TAKING_BACK


def _closed(history: Sequence[Told]) -> bool:
    return _closing(history) is not None


def _closing(history: Sequence[Told]) -> Told | None:
    return next((e for e in history if e.type == "case-closed" or e.data.get("outcome") == "close"), None)


def _child(history: Sequence[Told]) -> bool:
    concerns = [e for e in history if e.type == "concern-raised" and not any(_takes_back(c, e) for c in history)]
    grown = {e.data["transfer"] for e in history if e.data.get("kind") == "turning_18"}
    if any(e.type == "transfer-accepted" and e.data["transfer"] in grown for e in history):
        return False
    return bool(concerns) and concerns[-1].data["age_band"] in CHILDREN


def _responsible(name: str, start: Told, history: Sequence[Told]) -> str:
    if name == "transfer":
        return str(start.data["to"])
    if name in {"assessment_24h", "notifier_receipt"}:
        return "sof"
    return "ku" if name == "coordination_meeting" else _owner(history)


def _owner(history: Sequence[Told]) -> str:
    owner = "ku"
    for said in history:
        if said.type == "relative-support-started":
            owner = said.party
        elif said.type == "concern-screened":
            owner = said.data["owner"]
        elif said.type == "transfer-accepted":
            owner = said.party
    return owner


def _gone(history: Sequence[Told]) -> Iterator[datetime]:
    """Yield when the case is to be erased, for each ground that there is."""
    requests = [e for e in history if e.type == "rights-request-received" and e.data["article"] == "17"]
    for place, said in enumerate(history):
        asked = [e for e in requests if said.type == "rights-request-answered" and said.data["request"] == e.id]
        if asked and not any(_takes_back(c, asked[0]) for c in history[:place]):
            yield said.recorded
    closing = _closing(history)
    if closing is None:
        yield slow(history[-1].recorded, "24 months")
    elif closing.type == "concern-screened":
        yield slow(closing.recorded, "30 days")
    else:
        yield slow(closing.recorded, "6 months")
