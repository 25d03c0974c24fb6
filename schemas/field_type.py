"""A field's type as the catalogue writes it: a scalar or {an, enum}, `[]` for a list, `?` for an option."""

import re
from dataclasses import dataclass
from functools import cache

SCALARS = frozenset({"bool", "int", "date", "instant", "uuid", "party", "kle", "event", "ref"})
_TYPE = re.compile(r"(?P<scalar>[a-z]+|\{(?P<values>[^{}]*)\})(?P<many>\[\])?(?P<optional>\?)?")
_VALUE = re.compile(r"[a-z0-9][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type: the name of a scalar (or "enum", with its values), whether a list, whether it may be absent."""

    scalar: str
    values: tuple[str, ...]
    many: bool
    optional: bool


@cache
def field_type(text: str) -> FieldType:
    """Return what a type of the catalogue says. Raises ValueError for a word it does not have."""
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ValueError("not a type of the catalogue")
    values = match["values"]
    if values is None:
        if match["scalar"] not in SCALARS:
            raise ValueError("not a type of the catalogue")
        return FieldType(match["scalar"], (), bool(match["many"]), bool(match["optional"]))
    words = tuple(word.strip() for word in values.split(","))
    if len(set(words)) != len(words) or not all(_VALUE.fullmatch(word) for word in words):
        raise ValueError("not a type of the catalogue")
    return FieldType("enum", words, bool(match["many"]), bool(match["optional"]))
