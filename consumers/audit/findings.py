"""What an audit says: where record and topics differ, by coordinates and ids, never by content."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from consumers.audit.evidence import Mark, Stored, header, identifier
from schemas.records import Outbound

What = Literal["log", "view", "receipt", "state", "vault_read"]
Fault = Literal["altered", "changed", "missing", "surplus", "malformed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `offset` is None for what is missing; `why` is a word, told in `REASONS`."""

    what: What
    fault: Fault
    topic: str
    partition: int
    offset: int | None
    why: str
    case: str | None = None
    event: str | None = None
    recipient: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


REASONS: Mapping[str, str] = {
    "unreadable": "it is no record that this bus writes",
    "form": "its bytes are not those that its event gives",
    "misplaced": "it is not in the partition of its case",
    "contract": "it names a contract that deploy/policies does not hold",
    "judgement": "judging it again fails",
    "repeated": "an event is accepted once, and this one stands in the log before",
    "erased": "its record was taken out of the log",
    "disagrees": "what was shown and receipted does not follow from it",
    "derived": "it is not what follows from the log",
    "absent": "it follows from the log and is not there",
    "no_event": "nothing that can be told again from the log leads to it",
    "doubled": "it stands there more than once",
    "kept": "it is of an erased case, and still there",
    "chain": "the receipts of this erased case are not those that its stub counts",
    "receipted": "it is not what its receipt says that was shown",
    "recipients": "the stub names others than those who were told",
    "receipt_form": "it is no receipt of a read",
}


@dataclass(frozen=True, slots=True)
class Report:
    """All that was looked at, and every difference."""

    log: int
    views: int
    receipts: int
    vault_reads: int
    states: int
    findings: tuple[Finding, ...]

    def body(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        looked_at = {name: getattr(self, name) for name in ("log", "views", "receipts", "vault_reads", "states")}
        return {"looked_at": looked_at, "findings": [finding.body() for finding in self.findings]}


def merged(reports: Iterable[Report]) -> Report:
    """Return the report on several shares as if they had been audited as one."""
    parts = tuple(reports)
    return Report(
        sum(part.log for part in parts),
        sum(part.views for part in parts),
        sum(part.receipts for part in parts),
        sum(part.vault_reads for part in parts),
        sum(part.states for part in parts),
        in_order(finding for part in parts for finding in part.findings),
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by place, and at one place by all that they say: the same however they were found."""
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[str | int, ...]:
    at = -1 if finding.offset is None else finding.offset
    said = (finding.fault, finding.why, finding.case or "", finding.event or "", finding.recipient or "")
    return (finding.what, finding.topic, finding.partition, at, *said)


def of_log(stored: Stored, why: str, fault: Fault = "altered") -> Finding:
    record = stored.record
    case, event = identifier(header(record.headers, "ce_subject")), identifier(header(record.headers, "ce_id"))
    return Finding("log", fault, record.topic, record.partition, record.offset, why, case, event)


def of_mark(what: What, fault: Fault, found: Mark, why: str, event: str | None = None) -> Finding:
    case = identifier(found.about)
    return Finding(what, fault, found.topic, found.partition, found.offset, why, case, event)


def of_absent(what: What, expected: Outbound, case: str | None, event: str | None, to: str | None = None) -> Finding:
    return Finding(what, "missing", expected.topic, expected.partition, None, "absent", case, event, to)
