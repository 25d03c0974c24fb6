"""policy.yaml's rules, read and checked: who may see what of which event, through which gate.

Whatever a rule could get wrong towards releasing more is refused here, before the first event is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.catalogue_file import words
from schemas.contract import EventType, Field, Forum, Gate, Party, Rule
from schemas.contract_words import (
    BY_FORUM,
    CASE_PREDICATES,
    CASE_REF_SOURCES,
    CASELESS_ROLES,
    CONSENT_PREDICATES,
    DOSSIER,
    DOSSIER_EVENT,
    RECIPIENT_ROLES,
)
from schemas.field_type import field_type
from schemas.located_yaml import Located
from schemas.policy_file import enum_values

_REQUIRED = ("id", "event", "to", "gate", "release")
_OPTIONAL = ("refs", "case_refs", "when", "self", "non_holder", "typed", "consent", "suppress_below")
Value = TypeVar("Value")
_MEETING, _TRANSFER = "meeting", "transfer"  # fields that name what a predicate asks about


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule may name."""

    parties: Mapping[str, Party]
    types: Mapping[str, EventType]
    gates: Mapping[str, Gate]
    forums: Mapping[str, Forum]


def rules(listed: Located, known: Known) -> tuple[Rule, ...]:
    """Return the rules in their order. Raises ContractError."""
    found: dict[str, Rule] = {}
    for item in listed.items():
        rule = _rule(item, known)
        if rule.id in found:
            raise item.refuse(f"a second rule {rule.id!r}")
        found[rule.id] = rule
    return tuple(found.values())


def _rule(item: Located, known: Known) -> Rule:
    parts = item.mapping(required=_REQUIRED, optional=_OPTIONAL)
    event = _of(parts["event"], known.types, "event")
    gate = _of(parts["gate"], known.gates, "gate")
    rule = Rule(
        id=parts["id"].text(),
        event=event.name,
        to=_recipient(parts["to"], event, known),
        gate=gate,
        release=_release(parts["release"], event),
        refs=_refs(parts["refs"], event) if "refs" in parts else (),
        case_refs=_case_refs(parts["case_refs"], event, known) if "case_refs" in parts else (),
        when=_when(parts["when"], event, known) if "when" in parts else None,
        to_publisher=_flag(parts, "self"),
        non_holder=_flag(parts, "non_holder"),
        typed=_flag(parts, "typed"),
        consent=_scope(parts["consent"], known) if "consent" in parts else None,
        suppress_below=_suppressed(parts["suppress_below"], event) if "suppress_below" in parts else None,
    )
    _check_gate(parts, rule, event)
    _check_non_holder(parts, rule, event)
    _check_marker(parts, rule)
    return rule


def _flag(parts: Mapping[str, Located], name: str) -> bool:
    return name in parts and parts[name].flag()


def _of(word: Located, known: Mapping[str, Value], what: str) -> Value:
    if word.text() not in known:
        raise word.refuse(f"unknown {what} {word.text()!r}")
    return known[word.text()]


def _recipient(word: Located, event: EventType, known: Known) -> str:
    to = word.text()
    if to in known.parties:
        return to
    if to not in RECIPIENT_ROLES:
        raise word.refuse(f"unknown recipient {to!r}")
    needed = RECIPIENT_ROLES[to]
    if needed is not None and needed not in event.fields:
        raise word.refuse(f"nobody is {to!r} of {event.name}: it has no field {needed!r}")
    if not event.has_case and to not in CASELESS_ROLES:
        raise word.refuse(f"nobody is {to!r} of {event.name}: it has no case")
    return to


def _field(word: Located, event: EventType) -> Field:
    if word.text() not in event.fields:
        raise word.refuse(f"unknown field {word.text()!r} of {event.name}")
    return event.fields[word.text()]


def _release(listed: Located, event: EventType) -> tuple[str, ...]:
    for item in listed.items():
        if _field(item, event).sensitivity > 1:
            raise item.refuse(f"{item.text()!r} is of class 2-4: it leaves as a reference only")
    return words(listed, event.fields.keys(), "field")


def _refs(listed: Located, event: EventType) -> tuple[str, ...]:
    for item in listed.items():
        if not _field(item, event).is_ref:
            raise item.refuse(f"{item.text()!r} is no reference")
    return words(listed, event.fields.keys(), "field")


def _case_refs(listed: Located, event: EventType, known: Known) -> tuple[str, ...]:
    if not event.has_case:
        raise listed.refuse(f"{event.name} has no case")
    sources = (known.types[name] for name in CASE_REF_SOURCES if name in known.types)
    names = {field.name for source in sources for field in source.fields.values() if field.is_ref}
    if event.name == DOSSIER_EVENT:
        names.add(DOSSIER)
    return words(listed, names, "case reference")


def _when(condition: Located, event: EventType, known: Known) -> Mapping[str, frozenset[Any]]:
    asked: dict[str, frozenset[Any]] = {}
    for word, values in condition.entries():
        if word.text not in event.fields:
            raise word.place.refuse(f"unknown field {word.text!r} of {event.name}")
        possible = _possible(event.fields[word.text], known)
        if not values.items():
            raise values.refuse("no value at all")
        for item in values.items():
            # by type too: True is 1 for Python
            if not any(item.value == value and type(item.value) is type(value) for value in possible):
                raise item.refuse(f"{word.text!r} of {event.name} is never {item.plain()!r}")
        asked[word.text] = frozenset(item.plain() for item in values.items())
    return asked


def _possible(field: Field, known: Known) -> frozenset[Any]:
    """Return the values that a rule may ask of a field: none where they cannot be listed."""
    written = field_type(field.type)
    if written.many:
        return frozenset()
    closed = {
        "enum": frozenset(written.values),
        "bool": frozenset({True, False}),
        "party": frozenset(known.parties),
    }
    return closed.get(written.scalar, frozenset())


def _scope(word: Located, known: Known) -> str:
    if word.text() not in enum_values(known.types, "consent-recorded", "scope"):
        raise word.refuse(f"unknown scope {word.text()!r}")
    return word.text()


def _suppressed(listed: Located, event: EventType) -> Mapping[str, int]:
    for word, threshold in listed.entries():
        if word.text not in event.fields:
            raise word.place.refuse(f"unknown field {word.text!r} of {event.name}")
        written = field_type(event.fields[word.text].type)
        if written.scalar != "int" or written.many:
            raise word.place.refuse(f"{word.text!r} is no number")
        if threshold.number() < 1:
            raise threshold.refuse("a threshold is 1 or more")
    return {word.text: threshold.number() for word, threshold in listed.entries()}


def _check_gate(parts: Mapping[str, Located], rule: Rule, event: EventType) -> None:
    """Hold the gate against the event and the rule: what it asks for must be there to be asked."""
    asked, place = frozenset(rule.gate.predicates), parts["gate"]
    if asked & CASE_PREDICATES and not event.has_case:
        raise place.refuse(f"gate {rule.gate.name!r} asks about a case, and {event.name} has none")
    if ("forum_permits" in asked or rule.gate.basis == BY_FORUM) and _MEETING not in event.fields:
        raise place.refuse(f"gate {rule.gate.name!r} asks about a meeting, and {event.name} names none")
    if "handover_basis" in asked and _TRANSFER not in event.fields:
        raise place.refuse(f"gate {rule.gate.name!r} asks about a transfer, and {event.name} names none")
    if asked & CONSENT_PREDICATES and rule.consent is None:
        raise place.refuse(f"gate {rule.gate.name!r} needs `consent`: the scope that is asked for")
    if rule.consent is not None and not asked & CONSENT_PREDICATES:
        raise parts["consent"].refuse(f"gate {rule.gate.name!r} asks for no consent")


def _check_non_holder(parts: Mapping[str, Located], rule: Rule, event: EventType) -> None:
    if not rule.non_holder:
        return
    if rule.refs or rule.case_refs:
        raise parts["non_holder"].refuse("who may hold no case data gets no references")
    for item in parts["release"].items():
        if event.fields[item.text()].sensitivity > 0:
            raise item.refuse(f"{item.text()!r} is above class 0: it must not reach who may hold no case data")


def _check_marker(parts: Mapping[str, Located], rule: Rule) -> None:
    if rule.typed and not rule.is_marker:
        raise parts["typed"].refuse("only a marker needs `typed`")
    for name in rule.suppress_below or ():
        if name not in rule.release:
            raise parts["suppress_below"].refuse(f"{name!r} is not released")
