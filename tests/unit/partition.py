"""One partition of COORDINATE in memory, on a clock that the test sets: what parties say, what the bus says by itself.

ADMIT's and COORDINATE's own steps and the worker's own memory, without a broker. Ticks come only when the test says.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from schemas import admission, topics
from schemas.case import Case, State
from schemas.clock_times import rfc3339
from schemas.contract import Contracts
from schemas.envelope import Admitted, Event, Seal, source_of, type_of
from schemas.records import Headers, Inbound, Outbound
from streams.admit import admitted_record
from streams.batch import Outcome
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests.unit.sayings import CASE, DEFAULTS
from tests.wire import STRUCTURED, contracts

SALT = "00" * 16
_LOGGED = b"dk.samspil.deadline-passed.v1"


@dataclass(frozen=True, slots=True, order=True)
class Passed:
    """A deadline that the bus said had passed: the event that started it, and who was told."""

    due_at: str
    deadline: str
    started: str
    responsible: str
    told: tuple[str, ...]


@dataclass
class Partition:
    """What was said of one case. Without an id given, each event has a new one."""

    contracts: Contracts = field(default_factory=contracts)
    case: str = CASE
    states: States = field(default_factory=States)
    passed: list[Passed] = field(default_factory=list)
    records: list[Inbound] = field(default_factory=list)
    taken: list[Inbound] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._step = Coordinate(self.contracts, lambda: SALT)

    @property
    def state(self) -> State:
        return self.states.get(self.case)

    @property
    def open(self) -> Case:
        """The case, which is not erased."""
        assert isinstance(self.state, Case)
        return self.state

    def fresh(self) -> str:
        return str(UUID(int=next(self._numbers), version=4))

    def say(self, now: datetime, party: str, type_: str, **data: Any) -> str | None:
        """Say an event, the bus's clock being `now`; give its id, None if it was not taken.

        `ce_id` and `ce_time` may be given; without a time it is the clock's.
        """
        id_, time = data.pop("ce_id", None) or self.fresh(), data.pop("ce_time", now)
        filled = {**DEFAULTS.get(type_, {}), **data}
        event = {
            "specversion": "1.0",
            "id": id_,
            "source": source_of(party),
            "type": type_of(type_),
            "subject": self.case,
            "time": time.isoformat(),
            "datacontenttype": "application/json",
            "data": {name: f"vault:{self.fresh()}" if value == "ref" else value for name, value in filled.items()},
        }
        contract = self.contracts.at(now)
        admitted = admission.admit(contract, party, STRUCTURED, json.dumps(event).encode(), now)
        assert isinstance(admitted, Event), admitted
        seal = Seal(rfc3339(now), SALT, contract.digest, 0)
        return id_ if self.hear(_inbound(admitted_record(Admitted(admitted, seal)), len(self.records))) else None

    def ok(self, now: datetime, party: str, type_: str, **data: Any) -> str:
        """Say an event that must be taken."""
        said = self.say(now, party, type_, **data)
        assert said is not None
        return said

    def hear(self, record: Inbound) -> bool:
        """Judge a record of the admitted topic; whether it was taken."""
        self.records.append(record)
        outcome = judged(self._step, [record], self.states)
        self._take(outcome)
        id_ = _header(record.headers, "ce_id")
        logged = (r for r in outcome.outputs if r.topic == topics.LOG and r.value)
        taken = any(_header(r.headers, "ce_id") == id_ for r in logged)
        self.taken += [record] * taken
        return taken

    def tick(self, now: datetime) -> None:
        """Let the bus say what the time has come for, as a claim does."""
        time, contract = rfc3339(now), self.contracts.at(now)
        while self.states.any_due(time, contract) and (keys := self.states.due(time, 100)):
            self._take(self._step.tick(keys, self.states, time, contract))
            self.states.looked_at(keys, time, contract)

    def said(self, deadline: str) -> list[Passed]:
        """What was said of one of the policy's deadlines."""
        return [passed for passed in self.passed if passed.deadline == deadline]

    def _take(self, outcome: Outcome) -> None:
        assert not outcome.dead
        self.states.keep(outcome.states)
        logged = (r for r in outcome.outputs if r.topic == topics.LOG and r.value)
        self.passed += [_passed(r, outcome.outputs) for r in logged if dict(r.headers)["ce_type"] == _LOGGED]


def _passed(record: Outbound, outputs: tuple[Outbound, ...]) -> Passed:
    data = json.loads(record.value or b"")
    id_ = _header(record.headers, "ce_id")
    views = (r for r in outputs if r.topic.startswith("samspil.views.") and r.value)
    told = sorted(topics.party_of(r.topic) for r in views if _header(r.headers, "ce_causationid") == id_)
    started = _header(record.headers, "ce_causationid")
    return Passed(data["due_at"], data["deadline"], started, data["responsible"], tuple(told))


def _header(headers: Headers, name: str) -> str:
    return (dict(headers).get(name) or b"").decode()


def _inbound(record: Outbound, offset: int) -> Inbound:
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)
