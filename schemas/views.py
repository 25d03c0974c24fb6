"""What leaves the bus, and the receipts that say so."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import orjson
from msgspec import field
from msgspec.json import Encoder

from schemas.canonical import canonical
from schemas.case import Shown
from schemas.envelope import NO_CASE, Event, binary, source_of
from schemas.records import Headers
from schemas.value import Value

VIEW_IDS = UUID("6f9df2d2-4f5a-5c1e-9f0b-3d1c6d0c7a11")  # namespace of view ids; fixed for ever
_NAMESPACE = VIEW_IDS.bytes
_ENCODER = Encoder(order="sorted")  # canonical, for what a receipt holds


class View(Value, frozen=True):
    """What one recipient may see of one event. `type` is a CloudEvents type.

    `value` is the data as design fixes it, in canonical JSON: the view's Kafka value.
    """

    recipient: str
    id: str
    type: str
    source: str
    case: str | None
    time: str
    event: str
    value: bytes

    @property
    def data(self) -> dict[str, Any]:
        """The data as JSON values."""
        data: dict[str, Any] = orjson.loads(self.value)
        return data

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
        own = (("ce_specversion", b"1.0"), ("ce_id", self.id.encode()))
        return own + _common(self.source, self.type, self.case, self.time, self.event)

    def letter(self) -> bytes:
        """Return the view as a structured CloudEvent in canonical JSON."""
        return canonical({**self.attributes(), "data": orjson.Fragment(self.value)})


@lru_cache(maxsize=64)  # made once for the views of an event: 2 µs of each
def _common(source: str, type_: str, case: str | None, time: str, event: str) -> Headers:
    """Return the headers that an event's views of one type have in common."""
    subject = {"subject": case} if case else {}
    common = {"source": source, "type": type_, **subject, "time": time}
    return binary({**common, "datacontenttype": "application/json", "causationid": event})


def view_id(event: Event, recipient: str) -> str:
    """Return the id of a view: UUIDv5 of (source, case, id, recipient), the same at every replay."""
    return view_key(event.party, event.case, event.id, recipient)


def view_key(party: str, case: str | None, event: str, recipient: str) -> str:
    """Return the same where only the parts of the event's identity are left."""
    return _uuid5(f"{source_of(party)}/{case or NO_CASE}/{event}/{recipient}")


def _uuid5(name: str) -> str:
    """Return the UUID, version 5, of a name in our namespace (RFC 9562, 5.5): 1.2 µs, uuid.uuid5 takes 4."""
    text = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def view_digest(salt: str, view: View) -> str:
    """Return SHA-256 of the event's salt (its bytes) and the canonical view: mute once the salt is gone."""
    return hashlib.sha256(bytes.fromhex(salt) + view.letter()).hexdigest()


Outcome = Literal["released", "withheld", "read", "read_refused"]


class Receipt(Value, frozen=True):
    """Who got what of a case, or did not, by which rule. Names of fields, never values.

    `event` is None for a read that no event covers; `actor` is the pseudonym of who read the vault;
    `failed` maps a rule to the reason of its gate, and is treated as frozen; `time` is the bus's clock.
    """

    event: str | None
    subject: str | None
    recipient: str
    outcome: Outcome
    time: str
    contract: str
    actor: str | None = None
    rules: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    view_digest: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the receipt as JSON values."""
        body: dict[str, Any] = orjson.loads(self.value())
        return body

    def value(self) -> bytes:
        """Return the receipt's canonical bytes."""
        return _ENCODER.encode(self)


class Decision(Value, frozen=True):
    """What an accepted event leads to: views and receipts by recipient, sorted, and who is named as withheld.

    `shown` says by recipient which rule released which references: the state keeps it. `written` are the receipts'
    bytes, made once for the ledger and for the chain over them.
    """

    views: tuple[View, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    written: tuple[bytes, ...] = ()
    withheld: tuple[str, ...] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
