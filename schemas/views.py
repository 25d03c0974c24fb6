"""What leaves the bus, and the receipts that say so."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid5

from schemas.canonical import canonical
from schemas.case import Shown
from schemas.envelope import NO_CASE, Event, binary, source_of
from schemas.records import Headers

VIEW_IDS = UUID("6f9df2d2-4f5a-5c1e-9f0b-3d1c6d0c7a11")  # namespace of view ids; fixed for ever


@dataclass(frozen=True, slots=True)
class View:
    """What one recipient may see of one event. `type` is a CloudEvents type, `data` as design fixes it."""

    recipient: str
    id: str
    type: str
    source: str
    case: str | None
    time: str
    event: str
    data: Mapping[str, Any]

    def attributes(self) -> dict[str, str]:
        """Return the view's CloudEvents attributes."""
        case = {"subject": self.case} if self.case else {}
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            **case,
            "time": self.time,
            "datacontenttype": "application/json",
            "causationid": self.event,
        }

    def body(self) -> dict[str, Any]:
        """Return the view as a structured CloudEvent."""
        return {**self.attributes(), "data": self.data}

    def headers(self) -> Headers:
        """Return the view's Kafka headers (binary mode)."""
        return binary(self.attributes())

    def value(self) -> bytes:
        """Return the view's Kafka value."""
        return canonical(self.data)


def view_id(event: Event, recipient: str) -> str:
    """Return the id of a view: UUIDv5 of (source, case, id, recipient), the same at every replay."""
    return str(uuid5(VIEW_IDS, f"{source_of(event.party)}/{event.case or NO_CASE}/{event.id}/{recipient}"))


def view_digest(salt: str, view: View) -> str:
    """Return SHA-256 of the event's salt (its bytes) and the canonical view: mute once the salt is gone."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(view.body())).hexdigest()


Outcome = Literal["released", "withheld", "read", "read_refused"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who got what of a case, or did not, by which rule. Names of fields, never values.

    `event` is None for a read that no event covers; `actor` is the pseudonym of who read the vault;
    `failed` maps a rule to the reason of its gate; `time` is the bus's clock.
    """

    event: str | None
    subject: str | None
    recipient: str
    outcome: Outcome
    time: str
    contract: str
    actor: str | None = None
    rules: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    view_digest: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the receipt as JSON values."""
        return {
            "event": self.event,
            "subject": self.subject,
            "recipient": self.recipient,
            "outcome": self.outcome,
            "time": self.time,
            "actor": self.actor,
            "rules": list(self.rules),
            "failed": dict(self.failed),
            "fields": list(self.fields),
            "refs": list(self.refs),
            "contract": self.contract,
            "view_digest": self.view_digest,
        }

    def value(self) -> bytes:
        """Return the receipt's canonical bytes."""
        return canonical(self.body())


@dataclass(frozen=True, slots=True)
class Decision:
    """What an accepted event leads to: views and receipts by recipient, sorted, and who is named as withheld.

    `shown` says by recipient which rule released which references: the state keeps it.
    """

    views: tuple[View, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    withheld: tuple[str, ...] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
