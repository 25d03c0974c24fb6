"""policy.yaml's grounds, read and checked: predicates, gates and forums, which the rules stand on."""

from collections.abc import Mapping

from schemas.catalogue_file import words
from schemas.contract import EventType, Forum, Gate, Party
from schemas.contract_words import BY_FORUM, OBLIGATIONS, PREDICATES
from schemas.field_type import field_type
from schemas.located_yaml import Located, Word


def predicates(listed: Located) -> Mapping[str, str]:
    """Return the reason of each predicate. Raises ContractError."""
    for word, reason in listed.entries():
        if word.text not in PREDICATES:
            raise word.place.refuse(f"unknown predicate {word.text!r}")
        if reason.text() != PREDICATES[word.text]:
            raise reason.refuse(f"unknown reason {reason.text()!r} of {word.text}")
    return {word.text: reason.text() for word, reason in listed.entries()}


def gates(listed: Located, known: Mapping[str, str]) -> Mapping[str, Gate]:
    """Return the gates by name. Raises ContractError."""
    return {word.text: _gate(word, about, known) for word, about in listed.entries()}


def _gate(word: Word, about: Located, known: Mapping[str, str]) -> Gate:
    parts = about.mapping(required=["predicates", "basis", "obligations"])
    return Gate(
        name=word.text,
        predicates=words(parts["predicates"], known.keys(), "predicate"),
        basis=parts["basis"].text(),
        obligations=words(parts["obligations"], OBLIGATIONS, "obligation"),
    )


def forums(listed: Located, parties: Mapping[str, Party], types: Mapping[str, EventType]) -> Mapping[str, Forum]:
    """Return the forums by name: those of the catalogue, all of them. Raises ContractError."""
    sayable = enum_values(types, "meeting-scheduled", "forum")
    ages = frozenset(enum_values(types, "concern-raised", "age_band"))
    found = {word.text: _forum(word, about, parties, ages) for word, about in listed.entries()}
    for word, about in listed.entries():
        if word.text not in sayable:
            raise word.place.refuse(f"unknown forum {word.text!r}")
        if found[word.text].basis == BY_FORUM:
            raise about.refuse(f"{word.text!r} needs a basis of its own")
    for name in sayable:
        if name not in found:
            raise listed.refuse(f"forum {name!r} is missing")
    return found


def _forum(word: Word, about: Located, parties: Mapping[str, Party], ages: frozenset[str]) -> Forum:
    parts = about.mapping(required=["basis", "ages", "parties"])
    return Forum(
        name=word.text,
        basis=parts["basis"].text(),
        ages=frozenset(words(parts["ages"], ages, "age")),
        parties=frozenset(words(parts["parties"], parties.keys(), "party")),
    )


def enum_values(types: Mapping[str, EventType], event: str, field: str) -> tuple[str, ...]:
    """Return the values of one of the catalogue's enums; none where the catalogue lacks that event."""
    return field_type(types[event].fields[field].type).values if event in types else ()
