"""The scenario as the bus would write it: judged by the pure functions, in wire form, with offsets of its own.

For tests that need a log, views, receipts and states and not the worker that makes them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from consumers.audit.evidence import Stored
from deploy.scenario_file import Line, Utterance, read_scenario
from schemas import admission, contract_files, judge, state, topics
from schemas.case import Case, State
from schemas.clock_times import rfc3339
from schemas.contract import Contract, Contracts
from schemas.envelope import Admitted, Event, Seal
from schemas.outputs import log_record, receipt_record, state_record, view_record
from schemas.records import Headers, Inbound, Outbound
from schemas.terms import said_by_bus
from schemas.verdicts import Accepted, Refusal, Verdict
from schemas.views import Decision

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / "deploy" / "policies"
SCENARIO = ROOT / "deploy" / "scenarios" / "first-weeks.jsonl"
BUS_SALT = "00" * 16  # of what the bus says in the scenario
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)


@dataclass(frozen=True, slots=True)
class Step:
    """One event said: its verdict, and where it was accepted for the first time what followed."""

    id: str
    verdict: Verdict
    admitted: Admitted | None = None
    decision: Decision | None = None
    state: State | None = None


@cache
def contracts() -> Contracts:
    return contract_files.load_all(POLICIES)


@cache
def scenario() -> tuple[Line, ...]:
    return read_scenario(SCENARIO)


def judged(contract: Contract, lines: Sequence[Line]) -> Iterator[Step]:
    """Judge a scenario on its own time: the clock is the newest event time seen."""
    now, states = datetime.min.replace(tzinfo=UTC), dict[str, State]()
    for line in lines:
        if isinstance(line, Utterance):
            now = max(now, line.time or now)
            yield from _steps(contract, line, now, states)


def _steps(contract: Contract, line: Utterance, now: datetime, states: dict[str, State]) -> Iterator[Step]:
    event = admission.admit(contract, line.party, STRUCTURED, json.dumps(line.event).encode(), now)
    if isinstance(event, Refusal):
        yield Step(line.event["id"], event)
        return
    admitted = sealed(contract, event, now)
    before = states.get(event.key) or state.empty(event.key)
    own = list(_said_by_bus(contract, before, now))
    judgement = judge.judge(contract, (own[-1].state if own else None) or before, admitted)
    if judgement.decision is None:  # what has passed by then is said before the next event that is taken
        yield Step(event.id, judgement.verdict)
        return
    yield from own
    states[event.key] = judgement.state
    yield Step(event.id, judgement.verdict, admitted, judgement.decision, judgement.state)


def _said_by_bus(contract: Contract, case: State, now: datetime) -> Iterator[Step]:
    """Yield what the bus says of a case before its next event: the deadlines that have passed by then."""
    while isinstance(case, Case) and (event := said_by_bus(contract, case, rfc3339(now), held=True)):
        admitted = Admitted(event, Seal(rfc3339(now), BUS_SALT, contract.digest))
        case, decision = judge.replay(contract, case, admitted)
        yield Step(event.id, Accepted(event.id), admitted, decision, case)


def sealed(contract: Contract, event: Event, now: datetime) -> Admitted:
    salt = hashlib.sha256(event.id.encode()).hexdigest()[:32]
    return Admitted(event, Seal(rfc3339(now), salt, contract.digest, 0))


def outputs(steps: Iterable[Step]) -> Iterator[tuple[Outbound, ...]]:
    """Yield what COORDINATE writes, an accepted event at a time."""
    for step in steps:
        if step.admitted is None or step.decision is None or step.state is None:
            continue
        assert isinstance(step.verdict, Accepted)
        event, decision = step.admitted.event, step.decision
        yield (
            log_record(step.admitted, decision.withheld),
            *(view_record(view) for view in decision.views),
            *(receipt_record(event, receipt) for receipt in decision.receipts),
            state_record(event.key, state.encode(step.state), step.admitted.seal.contract),
        )


@dataclass(slots=True)
class Shelf:
    """Topics in memory: what was written, at offsets of their own."""

    records: list[Stored]

    def write(self, record: Outbound, written_at: int = 0) -> None:
        taken = (s.record.offset for s in self.records if _place(s.record) == _place(record))
        self.records.append(_stored(record, max(taken, default=-1) + 1, written_at))

    def of(self, prefix: str) -> tuple[Stored, ...]:
        kept = [stored for stored in self.records if stored.record.topic.startswith(prefix)]
        return tuple(sorted(kept, key=lambda s: (*_place(s.record), s.record.offset)))


def _place(record: Inbound | Outbound) -> tuple[str, int]:
    return (record.topic, record.partition)


def _stored(record: Outbound, offset: int, written_at: int) -> Stored:
    return Stored(Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers), written_at)


@cache
def everything() -> tuple[Outbound, ...]:
    """Return all that the bus writes for the scenario, in order."""
    return tuple(record for batch in outputs(judged(contracts().newest, scenario())) for record in batch)


def written() -> Shelf:
    """Return a shelf on which the whole scenario was written."""
    ends: Counter[tuple[str, int]] = Counter()
    stored = []
    for record in everything():
        stored.append(_stored(record, ends[_place(record)], 0))
        ends[_place(record)] += 1
    return Shelf(stored)


VIEWS, LOG, LEDGER, CASES = "samspil.views.", topics.LOG, topics.LEDGER, topics.CASES
