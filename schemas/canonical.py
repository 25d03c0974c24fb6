"""Canonical JSON: one value, one sequence of bytes, so that digests and replays compare.

For the values used here (no floating point numbers, ASCII keys, integers below 2^53) sorted compact
orjson is RFC 8785 (JSON Canonicalization Scheme); a test holds it against an independent implementation.
"""

import hashlib
from typing import Any

import orjson


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value. Source: RFC 8785."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
