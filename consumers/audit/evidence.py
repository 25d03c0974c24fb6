"""What the auditor has before it: records as the broker keeps them, and marks of them that fit in memory."""

import hashlib
import re

from msgspec import msgpack

from schemas.envelope import SOURCE_PREFIX
from schemas.outputs import MARK
from schemas.records import Headers, Inbound, Outbound
from schemas.value import Value
from schemas.vocabulary import UUID

_UUID = re.compile(UUID)
_PACKER = msgpack.Encoder()


class Stored(Value, frozen=True):
    """A record and when the broker took it (milliseconds since 1970, the broker's clock)."""

    record: Inbound
    written_at: int


class Mark(Value, frozen=True):
    """Where a record stands and the SHA-256 of its headers and value."""

    topic: str
    partition: int
    offset: int
    fingerprint: bytes
    about: str | None = None  # the key of its case or party, where it can be told


def fingerprint(headers: Headers, value: bytes | None) -> bytes:
    """Return the SHA-256 of a record's headers and value, each with its length before it."""
    # MessagePack writes the lengths, and in one call: a hash fed part by part takes five times as long.
    return hashlib.sha256(_PACKER.encode((headers, value))).digest()


def mark(stored: Stored, about: str | None = None) -> Mark:
    record = stored.record
    seen = fingerprint(record.headers, record.value)
    return Mark(record.topic, record.partition, record.offset, seen, about)


def agrees(found: Mark, expected: Outbound) -> bool:
    """Whether the record is, byte for byte and in its place, the one that follows from the log."""
    here = (found.topic, found.partition) == (expected.topic, expected.partition)
    return here and found.fingerprint == fingerprint(expected.headers, expected.value)


def about(headers: Headers) -> str | None:
    """Return the key of the case (or, where there is none, of the party) that a log record or view is about."""
    if subject := header(headers, "ce_subject"):
        return subject
    source = header(headers, "ce_source")
    return source.removeprefix(SOURCE_PREFIX) if source else None


def header(headers: Headers, name: str) -> str | None:
    """Return a header's text; None where it is absent or no text."""
    for key, raw in headers:
        if key == name:
            return _text(raw)
    return None


def identifier(text: str | None) -> str | None:
    """Return the text if it is a UUID: nothing else of a foreign record is ever repeated."""
    return text if text is not None and _UUID.fullmatch(text) else None


def case_in_key(record: Inbound) -> str | None:
    """Return the case that a log record's key names: it is there on a tombstone too. None where it names none."""
    parts = (key_of(record) or "").split("/")
    return identifier(parts[1]) if len(parts) == 3 else None


def is_sweep(record: Inbound) -> bool:
    """Whether a record is empty and only there so that the broker closes a file behind it: it says nothing."""
    return record.key == MARK and not record.value


def key_of(record: Inbound) -> str | None:
    """Return a record's key as text; None where there is none or it is no text."""
    return _text(record.key)


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None
