"""Scenarios and what is expected of them, played through the pure functions on the events' own clock."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import md5
from pathlib import Path
from typing import Any

from schemas.admission import admit
from schemas.canonical import canonical
from schemas.case import State
from schemas.clock_times import rfc3339
from schemas.contract import Contract
from schemas.contract_files import load
from schemas.envelope import SOURCE_PREFIX, Admitted, Event, Seal
from schemas.judge import Judgement, judge
from schemas.outputs import log_record, receipt_records, state_record, view_record
from schemas.records import Headers, Outbound
from schemas.state import empty, encode
from schemas.verdicts import Refusal, Verdict
from schemas.views import Decision
from schemas.vocabulary import instant

ROOT = Path(__file__).parents[2]
CONTRACT_DIR = ROOT / "deploy/policies/2026-01-01"
SCENARIOS = ROOT / "deploy/scenarios"
EXPECTED = ROOT / "tests/scenarios"
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)


@cache
def contract() -> Contract:
    """Return the contract in force."""
    return load(CONTRACT_DIR)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read JSON lines."""
    for line in path.read_text().splitlines():
        if line.strip():
            yield json.loads(line)


def said(name: str) -> list[dict[str, Any]]:
    """Return a scenario's events (structured CloudEvents) without its deposits."""
    return [line for line in lines(SCENARIOS / f"{name}.jsonl") if "deposit" not in line]


def expected(name: str) -> list[dict[str, Any]]:
    """Return what each event of a scenario must lead to."""
    return list(lines(EXPECTED / f"{name}.expected.jsonl"))


def sealed(contract_: Contract, event: Event, now: datetime) -> Admitted:
    """Seal an event as ADMIT does, with a salt that follows from its id, so that plays repeat."""
    salt = md5(event.id.encode(), usedforsecurity=False).hexdigest()
    return Admitted(event, Seal(rfc3339(now), salt, contract_.digest))


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one event of a scenario."""

    id: str
    verdict: Verdict
    judgement: Judgement | None = None  # None where admission refused

    @property
    def decision(self) -> Decision | None:
        """What left, where the event was accepted."""
        return self.judgement.decision if self.judgement else None


@dataclass
class Bus:
    """The pure bus: states by key, a clock that follows the newest event time seen."""

    contract: Contract
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    states: dict[str, State] = field(default_factory=dict)
    accepted: list[Admitted] = field(default_factory=list)

    def hear(self, cloud_event: Mapping[str, Any]) -> Heard:
        """Admit and judge one structured CloudEvent."""
        self.now = max(self.now, instant(cloud_event["time"]))
        party = str(cloud_event["source"]).removeprefix(SOURCE_PREFIX)
        event = admit(self.contract, party, STRUCTURED, json.dumps(cloud_event).encode(), self.now)
        if isinstance(event, Refusal):
            return Heard(cloud_event["id"], event)
        judgement = self.judge(sealed(self.contract, event, self.now))
        return Heard(event.id, judgement.verdict, judgement)

    def judge(self, admitted: Admitted) -> Judgement:
        """Judge an event and keep the state."""
        key = admitted.event.key
        judgement = judge(self.contract, self.states.get(key, empty(key)), admitted)
        self.states[key] = judgement.state
        if judgement.decision is not None:
            self.accepted.append(admitted)
        return judgement


def outcome(heard: Heard) -> dict[str, Any]:
    """Return what came of an event in the form of an expected line."""
    decision = heard.decision
    if decision is None:
        return _unaccepted(heard.id, heard.verdict)
    failed = {receipt.recipient: dict(receipt.failed) for receipt in decision.receipts if receipt.failed}
    views = {view.recipient: json.loads(view.value) for view in decision.views}
    return {
        "id": heard.id,
        "verdict": "accepted",
        "views": {party: _released(data) for party, data in views.items()},
        "withheld": {party: reasons for party, reasons in failed.items() if party not in views},
        "partly": {party: reasons for party, reasons in failed.items() if party in views},
    }


def _unaccepted(id_: str, verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Refusal):
        return {"id": id_, "verdict": "refused", "reason": verdict.reason}
    return {"id": id_, "verdict": "duplicate"}


def _released(data: Mapping[str, Any]) -> dict[str, Any]:
    rules = [ground["rule"] for ground in data["grounds"]]
    return {"fields": data["fields"], "refs": data["refs"], "case_refs": data["case_refs"], "rules": rules}


def play(bus: Bus, events: Iterable[Mapping[str, Any]]) -> list[Heard]:
    """Say events to a bus, one after the other."""
    return [bus.hear(event) for event in events]


def disclosed(decision: Decision | None) -> bytes:
    """Return all that leaves by a decision, as bytes to compare."""
    assert decision is not None
    bodies = [*(view.body() for view in decision.views), *(receipt.body() for receipt in decision.receipts)]
    return canonical(bodies)


def written(admitted: Admitted, heard: Heard) -> list[Outbound]:
    """Return what COORDINATE writes of an accepted event."""
    judgement = heard.judgement
    assert judgement is not None
    assert judgement.decision is not None
    return [
        log_record(admitted, judgement.decision.withheld),
        *map(view_record, judgement.decision.views),
        *receipt_records(admitted.event, judgement.decision.written),
        state_record(admitted.event.key, encode(judgement.state), admitted.seal.contract),
    ]
