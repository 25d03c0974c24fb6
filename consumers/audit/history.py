"""One case told again up to a time: its state then, and every view that had left it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from consumers.audit.evidence import Stored
from consumers.audit.findings import Finding
from consumers.audit.retelling import Retelling, Retold
from schemas import state
from schemas.case import Erased
from schemas.contract import Contracts
from schemas.errors import StateError


@dataclass(frozen=True, slots=True)
class Told:
    """A case at a time: its state, its events with what followed, and what could not be told again.

    Of an erased case there is only what its stub says.
    """

    case: str
    state: dict[str, Any] | None
    events: tuple[Retold, ...]
    findings: tuple[Finding, ...]
    erased: Erased | None = None

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "case": self.case,
            "state": self.state,
            "events": [_event(retold) for retold in self.events],
            "findings": [finding.body() for finding in self.findings],
            **({} if self.erased is None else {"erased": _erased(self.erased)}),
        }


def stub_of(states: Iterable[Stored], case: str) -> Erased | None:
    """Return what stays of a case if it is erased, of the states in its partition: the newest counts."""
    newest = None
    for stored in states:
        if stored.record.key == case.encode():
            newest = stored.record.value
    try:
        found = state.decode(newest or b"")
    except StateError:
        return None
    return found if isinstance(found, Erased) else None


def tell_case(contracts: Contracts, log: Iterable[Stored], case: str, at: datetime | None = None) -> Told:
    """Tell the records of one case's partition again, as far as the bus had taken them at a time."""
    retelling = Retelling(contracts)
    events: list[Retold] = []
    findings: list[Finding] = []
    for stored in log:
        if not _concerns(stored, case):
            continue
        told = retelling.tell(stored)
        if isinstance(told, Finding):
            findings.append(told)
        elif at is not None and datetime.fromisoformat(told.admitted.seal.recorded) > at:
            break  # a prefix of the log is a state that the case had; inboxes may interleave by moments after it
        else:
            events.append(told)
    after = orjson.loads(state.encode(events[-1].state)) if events else None
    return Told(case, after, tuple(events), tuple(findings))


def _erased(stub: Erased) -> dict[str, Any]:
    return {"at": stub.at, "reason": stub.reason, "told": list(stub.recipients)}


def _concerns(stored: Stored, case: str) -> bool:
    # By the key and not by a header: the key is there on a tombstone too.
    parts = (stored.record.key or b"").split(b"/")
    return len(parts) == 3 and parts[1] == case.encode()


def _event(retold: Retold) -> dict[str, Any]:
    event, seal = retold.admitted.event, retold.admitted.seal
    return {
        "id": event.id,
        "party": event.party,
        "type": event.type,
        "time": event.time,
        "recorded": seal.recorded,
        "contract": seal.contract,
        "views": {view.recipient: view.body() for view in retold.decision.views},
        "withheld": {r.recipient: dict(r.failed) for r in retold.decision.receipts if r.outcome == "withheld"},
    }
