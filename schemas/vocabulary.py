"""The words that events are made of: strict scalar types, each accepting exactly what the catalogue says.

Strict throughout: "1", true and 1.0 are no integers, and a date or an instant is only its one spelling.
Every value stays as it was written, so that what leaves is what was said.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo

# [0-9] and not \d, which in Python takes the digits of every script.
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
CASE_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"  # a random UUID, version 4
VAULT_REF = r"^vault:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
PARTY = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# Nanoseconds at most: a longer fraction would be room for a number that identifies somebody.
INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
KLE = r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}(-[A-Z][0-9]{2}(-[0-9]{1,2}){0,2})?$"
MOST = 2**31 - 1

_INSTANT = re.compile(INSTANT)
_DAY = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC) + _DAY
_LATEST = datetime.max.replace(tzinfo=UTC) - _DAY

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Word:
    """The catalogue's name of a scalar type, kept on the type so that the two can be compared."""

    name: str


@dataclass(frozen=True, slots=True)
class Class:
    """A field's class: 0 none, 1 pseudonymous case fact, 2 identity, 3 special or private, 4 criminal."""

    level: int


def instant(text: str) -> datetime:
    """Return the moment that an RFC 3339 instant names, in UTC. Raises ValueError.

    The outermost days of the calendar are refused: no clock of another zone can show them.
    """
    if not _INSTANT.fullmatch(text) or text[11:13] == "24":
        raise ValueError("not an instant")
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError("not an instant") from None
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("not an instant")
    return moment


def _an_instant(text: str) -> str:
    instant(text)
    return text


def _a_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _a_party(text: str, info: ValidationInfo) -> str:
    """Hold it against the contract's parties, handed in as context (none where a record is read back)."""
    if info.context is not None and text not in info.context:
        raise ValueError("not a party")
    return text


def _distinct(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) != len(items):
        raise ValueError("a value twice")
    return items


Ref: TypeAlias = Annotated[str, StringConstraints(pattern=VAULT_REF), Word("ref")]
Uuid: TypeAlias = Annotated[str, StringConstraints(pattern=UUID), Word("uuid")]
EventId: TypeAlias = Annotated[str, StringConstraints(pattern=UUID), Word("event")]
PartyId: TypeAlias = Annotated[str, StringConstraints(pattern=PARTY), AfterValidator(_a_party), Word("party")]
Date: TypeAlias = Annotated[str, StringConstraints(pattern=DATE), AfterValidator(_a_date), Word("date")]
Instant: TypeAlias = Annotated[str, StringConstraints(pattern=INSTANT), AfterValidator(_an_instant), Word("instant")]
Kle: TypeAlias = Annotated[str, StringConstraints(pattern=KLE), Word("kle")]
Count: TypeAlias = Annotated[int, Field(ge=0, le=MOST), Word("int")]
Flag: TypeAlias = Annotated[bool, Word("bool")]

# A list is never empty and says nothing twice.
ListOf: TypeAlias = Annotated[tuple[Item, ...], Field(min_length=1), AfterValidator(_distinct)]
