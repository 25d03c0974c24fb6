"""catalogue.yaml, read and checked: what may be said, held against the models that admit it."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from schemas.contract import EventType, Field, Party
from schemas.contract_words import ANYONE, KINDS, NEEDS, PUBLISHER_ROLES, THE_BUS
from schemas.event_data import fields_of
from schemas.events import EVENTS
from schemas.field_type import field_type
from schemas.located_yaml import Located, Word

_REQUIRED = ("da", "publishers", "data")
_OPTIONAL = ("opens_case", "case", "needs")


def types(file: Located, parties: Mapping[str, Party]) -> Mapping[str, EventType]:
    """Return the types of events by name. Raises ContractError."""
    listed = file.mapping(required=["types"])["types"]
    return {word.text: _type(word, about, parties) for word, about in listed.entries()}


def _type(word: Word, about: Located, parties: Mapping[str, Party]) -> EventType:
    if word.text not in EVENTS:
        raise word.place.refuse(f"unknown type of event {word.text!r}")
    parts = about.mapping(required=_REQUIRED, optional=_OPTIONAL)
    return EventType(
        name=word.text,
        da=parts["da"].text(),
        publishers=_publishers(parts["publishers"], parties),
        fields=_fields(word.text, parts["data"]),
        needs=_needs(word.text, parts["needs"]) if "needs" in parts else (),
        opens_case="opens_case" in parts and parts["opens_case"].flag(),
        has_case="case" not in parts or _has_case(parts["case"]),
    )


def _has_case(case: Located) -> bool:
    if case.text() != "none":
        raise case.refuse(f"unknown word {case.text()!r}: only `case: none` is said")
    return False


def _publishers(listed: Located, parties: Mapping[str, Party]) -> tuple[str, ...]:
    known = KINDS | PUBLISHER_ROLES | {ANYONE, THE_BUS} | parties.keys()
    names = words(listed, known, "publisher")
    if not names:
        raise listed.refuse("somebody must be able to say it")
    if THE_BUS in names and len(names) > 1:
        raise listed.refuse("what the bus says nobody else says")
    return names


def _needs(name: str, listed: Located) -> tuple[str, ...]:
    for word, condition in listed.entries():
        condition.text()
        if word.text not in NEEDS.get(name, frozenset()):
            raise word.place.refuse(f"unknown need {word.text!r} of {name}")
    return tuple(word.text for word, _ in listed.entries())


def _fields(name: str, listed: Located) -> Mapping[str, Field]:
    written = {word.text: _field(word, about) for word, about in listed.entries()}
    modelled = fields_of(EVENTS[name])
    for word, about in listed.entries():
        if word.text not in modelled:
            raise word.place.refuse(f"unknown field {word.text!r} of {name}")
        if _told(written[word.text]) != _told(modelled[word.text]):
            raise about.refuse(f"{word.text!r} of {name} is of another class or type in the code")
    if tuple(written) != tuple(modelled):
        raise listed.refuse(f"the fields of {name} are others, or in another order, in the code")
    return written


def _field(word: Word, about: Located) -> Field:
    pair = about.items()
    if len(pair) != 2:
        raise about.refuse("a field is [class, type]")
    level, type_ = pair[0].number(), pair[1].text()
    if level not in range(5):
        raise pair[0].refuse(f"unknown class {level}")
    try:
        parsed = field_type(type_)
    except ValueError:
        raise pair[1].refuse(f"unknown type {type_!r}") from None
    if (level >= 2) != (parsed.scalar == "ref"):
        raise about.refuse("a field of class 2-4, and no other, is a ref")
    return Field(word.text, level, type_)


def _told(field: Field) -> tuple[object, ...]:
    return field.name, field.sensitivity, field_type(field.type)


def words(listed: Located, known: AbstractSet[str], what: str) -> tuple[str, ...]:
    """Return a list of known words, none twice. Raises ContractError."""
    found: list[str] = []
    for item in listed.items():
        word = item.text()
        if word not in known:
            raise item.refuse(f"unknown {what} {word!r}")
        if word in found:
            raise item.refuse(f"{word!r} stands here twice")
        found.append(word)
    return tuple(found)
