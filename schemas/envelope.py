"""An event on its way: the attributes that were parsed and checked, and data that the catalogue knows.

Records are rebuilt from these parts, so nothing that a publisher wrote beside them travels on.
Source: CloudEvents 1.0 and its Kafka protocol binding (binary mode).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import field
from pydantic import BaseModel

from schemas.records import Headers
from schemas.value import Value

TYPE_PREFIX, TYPE_SUFFIX = "dk.samspil.", ".v1"
SOURCE_PREFIX = "urn:samspil:party:"
NO_CASE = "-"


class _Headers(dict[str, str]):
    """The header of each attribute. Only our own names are ever asked for, so few are kept."""

    def __missing__(self, attribute: str) -> str:
        self[attribute] = "content-type" if attribute == "datacontenttype" else "ce_" + attribute
        return self[attribute]


_HEADERS = _Headers()


class Seal(Value, frozen=True):
    """What ADMIT adds to an event: when the bus took it, a salt, the contract that judges it, its place.

    `recorded` is an RFC 3339 instant in UTC on the bus's clock; `salt` 128 random bits in hex; `contract`
    a digest; `inbox_offset` the record's offset in its publisher's inbox (None for what the bus says).
    """

    recorded: str
    salt: str
    contract: str
    inbox_offset: int | None = None


class Event(Value, frozen=True):
    """An event whose form is right. `case` is None only where the catalogue says `case: none`.

    `type` is the catalogue's name, `time` the publisher's RFC 3339 instant as written, `trace` the
    tracing extensions given (traceparent, correlationid, causationid).
    """

    id: str
    party: str
    type: str
    case: str | None
    time: str
    data: BaseModel
    trace: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What decides the partition: the case, or the party where there is none."""
        return self.case or self.party

    @property
    def fields(self) -> dict[str, Any]:
        """The data as JSON values, without what is absent."""
        return self.data.model_dump(exclude_none=True)


class Admitted(Value, frozen=True):
    """An event with its seal, as it stands on the admitted topic and in the log."""

    event: Event
    seal: Seal


def log_key(event: Event) -> bytes:
    """Return the key of an event in the log: (source, case, id), so that each can be erased by itself."""
    return log_key_of(event.party, event.case, event.id)


def log_key_of(party: str, case: str | None, event: str) -> bytes:
    """Return the same where only the parts are left."""
    return f"{party}/{case or NO_CASE}/{event}".encode()


def source_of(party: str) -> str:
    """Return the CloudEvents source of a party."""
    return SOURCE_PREFIX + party


def type_of(name: str) -> str:
    """Return the CloudEvents type of a catalogue name."""
    return TYPE_PREFIX + name + TYPE_SUFFIX


def attributes(event: Event) -> dict[str, str]:
    """Return the CloudEvents attributes of an event, without data and seal."""
    case = {"subject": event.case} if event.case else {}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": source_of(event.party),
        "type": type_of(event.type),
        **case,
        "time": event.time,
        "datacontenttype": "application/json",
        **event.trace,
    }


def binary(attributes_: Mapping[str, str]) -> Headers:
    """Return attributes as Kafka headers in CloudEvents binary mode."""
    return tuple([(_HEADERS[name], text.encode()) for name, text in attributes_.items()])


def sealed_headers(admitted: Admitted) -> Headers:
    """Return the headers of an event on the admitted topic and in the log."""
    seal = admitted.seal
    place = {} if seal.inbox_offset is None else {"inboxoffset": str(seal.inbox_offset)}
    extensions = {"recordedtime": seal.recorded, "salt": seal.salt, "contract": seal.contract, **place}
    return binary({**attributes(admitted.event), **extensions})
