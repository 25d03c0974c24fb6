"""What rules release of an event: fields by name, references of the event, references of earlier events.

Everything is taken by a name that a rule lists, so what no rule names cannot leave. Recipients for whom the same
rules hold get the same content, so it is made and encoded once for all of them.
"""

from typing import Any

import orjson

from schemas.canonical import canonical
from schemas.case import Case, Shown, State
from schemas.case_facts import earlier_refs, meeting_of
from schemas.contract import Contract, Rule
from schemas.contract_words import BY_FORUM
from schemas.envelope import Event
from schemas.errors import StateError
from schemas.value import Value


class Content(Value, frozen=True):
    """What a view holds. `value`: its data as canonical JSON; names are sorted.

    `marker` says that it tells nothing but that something happened.
    """

    value: bytes
    marker: bool
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    refs: tuple[str, ...]
    shown: Shown


def applies(rule: Rule, event: Event) -> bool:
    """Whether the rule's `when` holds on the event's own data; an absent value holds nothing."""
    return rule.when is None or all(getattr(event.data, name) in values for name, values in rule.when.items())


def content(contract: Contract, state: State, event: Event, held: list[Rule]) -> Content:
    """Return what these rules release together: the same name is the same value of the same event."""
    released: dict[str, Any] = {}
    own: dict[str, str] = {}
    earlier: dict[str, tuple[str, ...]] = {}
    shown_refs: dict[str, tuple[str, ...]] = {}
    shown_earlier: dict[str, tuple[str, ...]] = {}
    for rule in held:
        released |= fields(rule, event)
        if by_rule := refs(rule, event):
            own |= by_rule
            shown_refs[rule.id] = tuple(by_rule)
        if found := case_refs(rule, state, event):
            earlier |= found
            shown_earlier[rule.id] = tuple(found)
    rules = tuple([rule.id for rule in held])
    value = canonical(
        {
            "fields": released,
            "refs": own,
            "case_refs": earlier,
            "grounds": [_ground(contract, state, event, rule) for rule in held],
            "contract": contract.digest,
        }
    )
    return Content(
        value=value,
        marker=all(rule.is_marker and not rule.typed for rule in held),
        rules=rules,
        fields=tuple(sorted(released)),
        refs=tuple(sorted({*own, *earlier})),
        shown=Shown(rules, shown_refs, shown_earlier),
    )


def fields(rule: Rule, event: Event) -> dict[str, Any]:
    """Return the fields that the rule releases, without absent ones and those under the rule's threshold."""
    data, thresholds = vars(event.data), rule.suppress_below or {}
    return {
        name: data[name]
        for name in rule.release
        if data[name] is not None and not (name in thresholds and data[name] < thresholds[name])
    }


def refs(rule: Rule, event: Event) -> dict[str, str]:
    """Return the event's own references that the rule releases, without absent ones."""
    data = vars(event.data)
    return {name: data[name] for name in rule.refs if data[name] is not None}


def case_refs(rule: Rule, state: State, event: Event) -> dict[str, tuple[str, ...]]:
    """Return the references of earlier events that the rule releases; a name that has none is absent."""
    if not rule.case_refs:
        return {}
    if not isinstance(state, Case):
        raise StateError("a rule releases references of a case, the event has none")
    place = len(state.said) - 1  # the event was folded last
    found = {name: earlier_refs(state, event.id, place, name) for name in rule.case_refs}
    return {name: found_refs for name, found_refs in found.items() if found_refs}


def _ground(contract: Contract, state: State, event: Event, rule: Rule) -> orjson.Fragment | dict[str, Any]:
    if rule.gate.basis != BY_FORUM:
        return contract.grounds[rule.id]
    if not isinstance(state, Case):
        raise StateError("a gate has the basis of a meeting's forum, the event has no case")
    return rule.ground(contract.forums[meeting_of(state, event.id).forum].basis)
