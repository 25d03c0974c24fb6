"""An HTTP request that carries an event, as admission reads records: headers and a value.

Source: CloudEvents 1.0, HTTP protocol binding, structured and binary mode. Batches are not taken: each
event gets its own answer.
"""

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from schemas.admission import MOST_DATA
from schemas.attributes import CONTENT_TYPE, HEADER_PREFIX, JSON, STRUCTURED, media_type
from schemas.problems import Kind, Problem, ProblemError
from schemas.records import Headers

BATCH = "application/cloudevents-batch+json"

MOST_BODY = MOST_DATA + 8 * 1024  # a structured event brings its attributes along
# A preference ends at a comma that no quoted string holds; a string that is never closed goes on to the end.
_PREFERENCE = re.compile(r'(?:"(?:[^"\\]|\\.)*\\?(?:"|$)|[^",])+')
_WAIT = re.compile(r"\s*wait\s*(?:[=;]|$)", re.IGNORECASE)
_SECONDS = re.compile(r'\s*wait\s*=\s*(?:([0-9]+)|"([0-9]+)")\s*(?:;|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent. `value` is None where a structured event was too large to be read."""

    headers: Headers
    value: bytes | None


def check_media_type(content_type: str | None) -> str:
    """Return the media type of an event. Raises ProblemError for one that is not taken."""
    kind = media_type(content_type or "")
    if kind == BATCH:
        raise ProblemError(Problem(Kind.UNSUPPORTED_MEDIA_TYPE, "Send one event a request; batches are not taken."))
    if kind not in {STRUCTURED, JSON}:
        raise ProblemError(Problem(Kind.UNSUPPORTED_MEDIA_TYPE, f"Send {STRUCTURED}, or {JSON} with ce- headers."))
    return kind


async def submission(raw: Iterable[tuple[bytes, bytes]], kind: str, body: AsyncIterator[bytes]) -> Submission:
    """Read a request up to the bound, and no further."""
    received = [(name.decode("latin-1").lower(), text) for name, text in raw]
    declared = next((text for name, text in received if name == "content-length"), b"0")
    if kind == STRUCTURED:
        return Submission(((CONTENT_TYPE, STRUCTURED.encode()),), await _bounded(body, declared, MOST_BODY))
    data = await _bounded(body, declared, MOST_DATA)
    # Too long is too long whatever it says: the attributes are judged first, and give the refusal its id.
    value = bytes(MOST_DATA + 1) if data is None else data
    return Submission(((CONTENT_TYPE, JSON.encode()), *_attributes(received)), value)


def _attributes(received: Iterable[tuple[str, bytes]]) -> Headers:
    # The binding percent-encodes header values; an attribute given twice stays twice, for admission to refuse.
    return tuple(
        (HEADER_PREFIX + name.removeprefix("ce-"), unquote_to_bytes(text))
        for name, text in received
        if name.startswith("ce-")
    )


async def _bounded(body: AsyncIterator[bytes], declared: bytes, most: int) -> bytes | None:
    if declared.isdigit() and int(declared) > most:
        return None
    read = bytearray()
    async for chunk in body:
        read += chunk
        if len(read) > most:
            return None
    return bytes(read)


def wait_preferred(lines: Iterable[str], longest: float) -> float | None:
    """Return how long the publisher wants to wait for the verdict, bounded; None for not at all.

    `lines`: the Prefer headers (RFC 7240), each with one or more preferences. Of several `wait` the first counts.
    """
    preferences = (found[0] for line in lines for found in _PREFERENCE.finditer(line))
    wait = next(filter(_WAIT.match, preferences), "")
    found = _SECONDS.match(wait)
    return None if found is None else min(float(found[1] or found[2]), longest)
