"""A record opened: its attributes and the bytes of its data, whichever of CloudEvents' two modes it came in.

In structured mode the data's bytes are cut out of the event as they were sent, so that both modes are judged
alike: by the same bytes, the same limit, the same faults. What is wrong inside the data is no matter here,
unless it keeps the event around it from being read at all.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.attributes import ATTRIBUTES, CONTENT_TYPE, HEADER_PREFIX, STRUCTURED, media_type
from schemas.records import Headers

_NAMES = {CONTENT_TYPE: "datacontenttype"} | {
    HEADER_PREFIX + name: name for name in ATTRIBUTES if name != "datacontenttype"
}
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=float)  # numbers are passed over here, however long they are


@dataclass(slots=True)
class Letter:
    """Attributes by name, data as sent (None: there was none), and pointers to faults of the envelope."""

    attributes: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None
    faults: set[str] = field(default_factory=set)


def opened(headers: Headers, value: bytes | None) -> Letter | None:
    """Return what a record holds, in the mode of its content type; None for what cannot be read at all."""
    kinds = [raw for name, raw in headers if name == CONTENT_TYPE]
    if len(kinds) == 1 and media_type(_decoded(kinds[0]) or "") == STRUCTURED:
        return _structured(value or b"")
    return _binary(headers, value)


def _decoded(raw: bytes | None) -> str | None:
    """Return a header's text; None where it is not UTF-8 (or null, which Kafka permits)."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _binary(headers: Headers, value: bytes | None) -> Letter:
    letter = Letter(data=value)
    for header, raw in headers:
        name = _NAMES.get(header)
        if name is None:
            if header.startswith(HEADER_PREFIX):
                letter.faults.add("")
            continue  # other headers are no part of the event
        _take(letter, name, _decoded(raw))
    return letter


def _take(letter: Letter, name: str, text: str | None) -> None:
    if text is None or name in letter.attributes:
        letter.faults.add("/" + name)
    letter.attributes[name] = text or ""


def _structured(value: bytes) -> Letter | None:
    letter = Letter()
    try:
        for name, part, raw in _members(value.decode()):
            _take_member(letter, name, part, raw)
    except (ValueError, RecursionError):
        return None
    return letter


def _take_member(letter: Letter, name: str, part: object, raw: str) -> None:
    if name == "data":
        if letter.data is not None:
            letter.faults.add("/data")
        letter.data = raw.encode()
    elif name not in ATTRIBUTES:
        letter.faults.add("")
    elif part is not None:  # null is how CloudEvents writes an attribute that is not there
        _take(letter, name, part if isinstance(part, str) else None)


def _members(text: str) -> Iterator[tuple[str, Any, str]]:
    """Yield the members of the one JSON object: key, value, and the value as written. Raises ValueError."""
    at = _past(text, 0, "{")
    while text[at : at + 1] != "}":
        if text[at : at + 1] != '"':
            raise ValueError("not a key")
        name, at = _DECODER.raw_decode(text, at)
        at = _past(text, at, ":")
        value, end = _DECODER.raw_decode(text, at)
        yield name, value, text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] != "}":
            at = _past(text, at, ",")
            if text[at : at + 1] == "}":
                raise ValueError("a comma before the end")
    if _skip(text, at + 1) != len(text):
        raise ValueError("something after the end")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _past(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError("not JSON")
    return _skip(text, at + 1)
