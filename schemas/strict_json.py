"""One JSON value and nothing doubtful: what two readers could read differently is not read at all.

Refused: a key said twice (readers keep the first or the last), NaN and infinities, integers that not every
reader holds exactly, lone surrogates and NUL (PostgreSQL takes neither), depth without end.
Source: RFC 7493 (I-JSON).
"""

import json
from math import isfinite
from typing import Any, TypeAlias

from schemas.errors import MalformedError

Json: TypeAlias = Any  # str, int, float, bool, None, or lists and dicts of them

DEEPEST = 32
EXACT = 2**53 - 1
MOST_BYTES = 64 * 1024
_SURROGATES = range(0xD800, 0xE000)


def parse(raw: bytes, most: int = MOST_BYTES) -> Json:
    """Return the one JSON value that these bytes are. Raises MalformedError, which names no part of it."""
    if len(raw) > most:
        raise MalformedError("longer than allowed")
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    except RecursionError:
        raise MalformedError("nested too deep") from None
    except ValueError:
        raise MalformedError("not JSON") from None
    # Only escapes bring NUL or lone surrogates, only brackets bring depth: an ordinary event is not walked.
    if b"\\u" in raw or raw.count(b"[") + raw.count(b"{") > DEEPEST:
        _check(value, DEEPEST)
    return value


def _check(value: Json, depth: int) -> None:
    if isinstance(value, str):
        if any(char == "\0" or ord(char) in _SURROGATES for char in value):
            raise MalformedError("a character that is none")
    elif isinstance(value, dict | list):
        if depth == 0:
            raise MalformedError("nested too deep")
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            _check(part, depth - 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("a key twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > EXACT:
        raise MalformedError("an integer beyond 2^53")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise MalformedError("a number without end")
    return number


def _constant(_: str) -> None:
    raise MalformedError("not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
