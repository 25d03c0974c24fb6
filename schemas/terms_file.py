"""policy.yaml's terms, read and checked: deadlines, and how long what is kept."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from schemas.catalogue_file import words
from schemas.contract import Deadline, EventType, Party, Retention
from schemas.contract_words import (
    DEADLINES,
    KEEP_UNITS,
    KEPT_FROM,
    KEPT_WHILE,
    LENGTH_UNITS,
    RESPONSIBLE_ROLES,
    RETENTION,
    SUBJECT_IS_CHILD,
    TRUNCATED,
)
from schemas.field_type import field_type
from schemas.located_yaml import Located, Word

_SPAN = re.compile(r"([1-9][0-9]{0,3}) ([a-z ]+)")
_OUTCOME_IS = re.compile(r"outcome is (\w+)")


def deadlines(listed: Located, parties: Mapping[str, Party], types: Mapping[str, EventType]) -> tuple[Deadline, ...]:
    """Return the deadlines in their order. Raises ContractError."""
    return tuple(_deadline(word, about, parties, types) for word, about in listed.entries())


def _deadline(word: Word, about: Located, parties: Mapping[str, Party], types: Mapping[str, EventType]) -> Deadline:
    if word.text not in DEADLINES:
        raise word.place.refuse(f"unknown deadline {word.text!r}")
    parts = about.mapping(required=["starts", "met_by", "responsible"], optional=["if", "length", "until"])
    if ("length" in parts) == ("until" in parts):
        raise about.refuse("either `length` or `until` says when it passes")
    starts = types[_known(parts["starts"], types.keys(), "event")]
    return Deadline(
        name=word.text,
        starts=starts.name,
        responsible=_known(parts["responsible"], parties.keys() | RESPONSIBLE_ROLES, "responsible"),
        met_by=_met_by(parts["met_by"], types),
        condition=_condition(parts["if"], starts, {SUBJECT_IS_CHILD}) if "if" in parts else None,
        length=_span(parts["length"], LENGTH_UNITS) if "length" in parts else None,
        until=_date(parts["until"], starts) if "until" in parts else None,
    )


def _met_by(written: Located, types: Mapping[str, EventType]) -> tuple[str, ...]:
    if isinstance(written.value, str):
        return (_known(written, types.keys(), "event"),)
    names = words(written, types.keys(), "event")
    if not names:
        raise written.refuse("something must be able to meet it")
    return names


def retention(listed: Located, types: Mapping[str, EventType]) -> tuple[Retention, ...]:
    """Return how long what is kept. Raises ContractError."""
    return tuple(_retention(word, about, types) for word, about in listed.entries())


def _retention(word: Word, about: Located, types: Mapping[str, EventType]) -> Retention:
    if word.text not in RETENTION:
        raise word.place.refuse(f"unknown word {word.text!r} of retention")
    parts = about.mapping(required=["keep"], optional=["after", "if", "of", TRUNCATED])
    after = _known(parts["after"], types.keys() | KEPT_FROM, "event") if "after" in parts else None
    if TRUNCATED in parts and parts[TRUNCATED].value is not None:
        raise parts[TRUNCATED].refuse(f"`{TRUNCATED}` stands alone")
    return Retention(
        name=word.text,
        keep=_span(parts["keep"], KEEP_UNITS),
        after=after,
        condition=_condition(parts["if"], types.get(after or ""), KEPT_WHILE) if "if" in parts else None,
        of=_field_of(parts["of"], types) if "of" in parts else None,
    )


def _known(word: Located, known: AbstractSet[str], what: str) -> str:
    if word.text() not in known:
        raise word.refuse(f"unknown {what} {word.text()!r}")
    return word.text()


def _span(written: Located, units: frozenset[str]) -> str:
    """Return a number and a unit, `1 month` as well as `3 months`."""
    match = _SPAN.fullmatch(written.text())
    singular = match is not None and match[1] == "1"
    if match is None or (match[2] + "s" if singular else match[2]) not in units:
        raise written.refuse(f"{written.text()!r} is no length: a number, then one of {', '.join(sorted(units))}")
    return written.text()


def _condition(written: Located, event: EventType | None, phrases: AbstractSet[str]) -> str:
    """Return a condition: one of these phrases, or `outcome is VALUE` of the event that starts the time."""
    text = written.text()
    match = _OUTCOME_IS.fullmatch(text)
    if match is None:
        return _known(written, phrases, "condition")
    if event is None or "outcome" not in event.fields:
        raise written.refuse("the event that starts the time has no outcome")
    if match[1] not in field_type(event.fields["outcome"].type).values:
        raise written.refuse(f"the outcome of {event.name} is never {match[1]!r}")
    return text


def _date(word: Located, event: EventType) -> str:
    name = _known(word, event.fields.keys(), f"field of {event.name}")
    if field_type(event.fields[name].type).scalar != "date":
        raise word.refuse(f"{name!r} of {event.name} is no date")
    return name


def _field_of(written: Located, types: Mapping[str, EventType]) -> str:
    event, _, field = written.text().partition(".")
    if event not in types or field not in types[event].fields:
        raise written.refuse(f"unknown field {written.text()!r}: written event.field")
    return written.text()
