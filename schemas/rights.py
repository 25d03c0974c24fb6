"""Who may do what on Kafka, as data: default deny, one line a right.

Services and parties are principals of their own; a party can write its inbox and read its own views
and refusals, and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schemas import topics

Operation = Literal["READ", "WRITE", "DESCRIBE", "DELETE", "DESCRIBE_CONFIGS", "IDEMPOTENT_WRITE"]
Kind = Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID", "CLUSTER"]
Pattern = Literal["LITERAL", "PREFIXED"]

SERVICES = ("worker", "gateway", "vault", "projector", "audit", "statistics")
WORKER_GROUP = "samspil.worker"
WORKER_TRANSACTIONS = "samspil.worker."
RELEASE_TRANSACTIONS = "samspil.statistics"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One allowance: principal, operation, and the resources it covers."""

    principal: str
    kind: Kind
    name: str
    operation: Operation
    pattern: Pattern = "LITERAL"


def _topic(principal: str, names: Iterable[str], *operations: Operation) -> list[Right]:
    return [Right(principal, "TOPIC", name, op) for name in names for op in (*operations, "DESCRIBE")]


def _party(party: str) -> list[Right]:
    return [
        *_topic(party, [topics.inbox(party)], "WRITE"),
        *_topic(party, [topics.views(party), topics.refusals(party), topics.STATISTICS], "READ"),
        Right(party, "GROUP", f"samspil.party.{party}.", "READ", "PREFIXED"),
    ]


def rights(parties: Iterable[str]) -> tuple[Right, ...]:
    """Return every allowance of a bus with these parties, sorted."""
    everyone = sorted(parties)
    inboxes = [topics.inbox(p) for p in everyone]
    refusals = [topics.refusals(p) for p in everyone]
    views = [topics.views(p) for p in everyone]
    allowed = [
        # DELETE, WRITE: an inbox is truncated once admitted, and its file closed by an empty record
        *_topic("worker", inboxes, "READ", "DELETE", "WRITE"),
        *_topic("worker", [topics.ADMITTED, topics.CASES], "READ", "WRITE"),
        *_topic("worker", [topics.LOG, topics.LEDGER, topics.DEAD, *refusals, *views], "WRITE"),
        Right("worker", "GROUP", WORKER_GROUP, "READ", "PREFIXED"),
        Right("worker", "TRANSACTIONAL_ID", WORKER_TRANSACTIONS, "WRITE", "PREFIXED"),
        Right("worker", "TRANSACTIONAL_ID", WORKER_TRANSACTIONS, "DESCRIBE", "PREFIXED"),
        *_topic("worker", [topics.STATISTICS]),  # a worker starts only where every topic is there
        *_topic("gateway", [*inboxes, *refusals], "WRITE"),
        *_topic("gateway", views, "READ"),
        *_topic("vault", [topics.LEDGER], "WRITE"),
        *_topic("vault", [topics.CASES], "READ"),  # its end offset says how far a read must wait
        *_topic("projector", [topics.LOG, topics.CASES, topics.views("ku"), *refusals], "READ"),
        *_topic("projector", [*inboxes, topics.ADMITTED]),  # whether all is judged, before anything leaves the vault
        Right("projector", "GROUP", WORKER_GROUP, "DESCRIBE", "PREFIXED"),
        *_topic("audit", [topics.LOG, topics.CASES, topics.LEDGER, topics.DEAD, *views], "READ"),
        *_topic("statistics", [topics.STATISTICS], "READ", "WRITE"),
        *_topic("statistics", [topics.LOG]),  # where it ends says whether all is counted
        Right("statistics", "TRANSACTIONAL_ID", RELEASE_TRANSACTIONS, "WRITE"),
        Right("statistics", "TRANSACTIONAL_ID", RELEASE_TRANSACTIONS, "DESCRIBE"),
        *_topic("revision", [topics.LEDGER], "READ"),
        *_topic("dpo", [topics.LEDGER], "READ"),
        *(right for party in everyone for right in _party(party)),
    ]
    return tuple(sorted(set(allowed)))
