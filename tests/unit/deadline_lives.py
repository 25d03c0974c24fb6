"""A case in which one of the policy's deadlines runs, for each of them: all begin on Monday 2 March 2026 at noon."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.contract import CITY
from tests.unit.partition import Partition
from tests.unit.sayings import ONE

INSTANT, DAY = timedelta(microseconds=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 2, 12, tzinfo=CITY)
LONG_AFTER = BEGIN + 300 * DAY


def city(text: str) -> datetime:
    """An instant as a clock in the city shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY)


@dataclass
class Life:
    """A case in which a deadline runs."""

    partition: Partition
    started: str

    def say(self, now: datetime, party: str, type_: str, **data: Any) -> str:
        return self.partition.ok(now, party, type_, **data)


Start = Callable[..., str]


@dataclass(frozen=True)
class Rule:
    """A deadline: how it starts, when it passes, who answers for it."""

    name: str
    due: datetime
    responsible: str
    start: Start
    opening: str = "coordinated"


def concern(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "buf", "concern-raised", **more)


def screening(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "sof", "concern-screened", **more)


def measure(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "sof", "measure-started", measure=p.fresh(), **more)


def follow_up(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "sof", "follow-up-held", **{"next_due": "2026-04-15", **more})


def transfer(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "sof", "transfer-initiated", **{"transfer": ONE, "due": "2026-04-30", **more})


def request(p: Partition, now: datetime, **more: Any) -> str:
    return p.ok(now, "sof", "rights-request-received", **more)


RULES = {
    rule.name: rule
    for rule in (
        Rule("assessment_24h", city("2026-03-03T12:00"), "sof", concern, "nothing"),
        Rule("notifier_receipt", city("2026-03-10T00:00"), "sof", concern, "nothing"),
        Rule("coordination_meeting", city("2026-03-17T00:00"), "ku", screening, "concern"),
        Rule("first_follow_up", city("2026-06-03T00:00"), "sof", measure),
        Rule("follow_up", city("2026-04-16T00:00"), "sof", follow_up),
        Rule("transfer", city("2026-05-01T00:00"), "buf", transfer),
        Rule("rights_request", city("2026-04-03T00:00"), "sof", request),
    )
}
EACH = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def running(rule: Rule, recorded: datetime = BEGIN, **more: Any) -> Life:
    """Begin the deadline at noon, though the bus hears of it only then."""
    partition = opened(rule, BEGIN)
    return Life(partition, rule.start(partition, recorded, ce_time=BEGIN, **more))


def opened(rule: Rule, now: datetime) -> Partition:
    """Return what must be there before the deadline can begin."""
    partition = Partition()
    if rule.opening != "nothing":
        concern(partition, now)
    if rule.opening == "coordinated":
        screening(partition, now)
    return partition
