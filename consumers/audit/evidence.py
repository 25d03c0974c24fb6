"""What the auditor has before it: records as the broker keeps them, and marks of them that fit in memory."""

import hashlib
import re
from dataclasses import dataclass

from schemas.records import Headers, Inbound, Outbound
from schemas.vocabulary import UUID

_UUID = re.compile(UUID)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record and when the broker took it (milliseconds since 1970, the broker's clock)."""

    record: Inbound
    written_at: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a record stands and the SHA-256 of its headers and value."""

    topic: str
    partition: int
    offset: int
    fingerprint: bytes
    about: str | None = None  # the key of its case or party, where it can be told


def fingerprint(headers: Headers, value: bytes | None) -> bytes:
    """Return the SHA-256 of a record's headers and value, each with its length before it."""
    parts = [part for name, text in headers for part in (name.encode(), text)]
    seen = hashlib.sha256()
    for part in (*parts, b"-" if value is None else b"+" + value):
        seen.update(len(part).to_bytes(8, "big"))
        seen.update(part)
    return seen.digest()


def mark(stored: Stored, about: str | None = None) -> Mark:
    record = stored.record
    seen = fingerprint(record.headers, record.value)
    return Mark(record.topic, record.partition, record.offset, seen, about)


def agrees(found: Mark, expected: Outbound) -> bool:
    """Whether the record is, byte for byte and in its place, the one that follows from the log."""
    here = (found.topic, found.partition) == (expected.topic, expected.partition)
    return here and found.fingerprint == fingerprint(expected.headers, expected.value)


def header(record: Inbound, name: str) -> str | None:
    """Return a header's text; None where it is absent or no text."""
    raw = next((text for key, text in record.headers if key == name), None)
    return _text(raw)


def identifier(text: str | None) -> str | None:
    """Return the text if it is a UUID: nothing else of a foreign record is ever repeated."""
    return text if text is not None and _UUID.fullmatch(text) else None


def key_of(record: Inbound) -> str | None:
    """Return a record's key as text; None where there is none or it is no text."""
    return _text(record.key)


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None
