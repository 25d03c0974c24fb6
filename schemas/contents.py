"""What rules release of an event: fields by name, references of the event, references of earlier events.

Everything is taken by a name that a rule lists, so what no rule names cannot leave. Recipients for whom the same
rules hold get the same content, so it is made and encoded once for all of them.
"""

from collections.abc import Sequence
from typing import Any

from schemas.canonical import canonical
from schemas.case import Case, State
from schemas.case_facts import earlier_refs, meeting_of
from schemas.contract import Contract, Rule
from schemas.envelope import Event
from schemas.errors import StateError
from schemas.shown import Shown
from schemas.value import Value

MARKER = "case-touched"


class Content(Value, frozen=True):
    """What rules release together. `value`: a view's data as canonical JSON; names are sorted.

    `type` is the event's, or MARKER, which tells nothing but that something happened.
    """

    value: bytes
    type: str
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    refs: tuple[str, ...]
    shown: Shown


def applies(rule: Rule, event: Event) -> bool:
    """Whether the rule's `when` holds on the event's own data; an absent value holds nothing."""
    return rule.when is None or all(getattr(event.data, name) in values for name, values in rule.when.items())


def content(contract: Contract, state: State, event: Event, held: Sequence[Rule], rules: tuple[str, ...]) -> Content:
    """Return what these rules (and their ids) release together: the same name is the same value of the same event."""
    released: dict[str, Any] = {}
    own: dict[str, str] = {}
    earlier: dict[str, tuple[str, ...]] = {}
    shown_refs: dict[str, tuple[str, ...]] = {}
    shown_earlier: dict[str, tuple[str, ...]] = {}
    for rule in held:
        released |= fields(rule, event)
        if rule.refs and (by_rule := refs(rule, event)):
            own |= by_rule
            shown_refs[rule.id] = tuple(by_rule)
        if rule.case_refs and (found := case_refs(rule, state, event)):
            earlier |= found
            shown_earlier[rule.id] = tuple(found)
    fixed = contract.grounds
    value = canonical(
        {
            "fields": released,
            "refs": own,
            "case_refs": earlier,
            "grounds": [fixed.get(rule.id) or _by_forum(contract, state, event, rule) for rule in held],
            "contract": contract.digest,
        }
    )
    return Content(
        value,
        MARKER if contract.markers.issuperset(rules) else event.type,
        rules,
        tuple(sorted(released)),
        tuple(sorted(own.keys() | earlier.keys())) if own or earlier else (),
        Shown(rules, shown_refs, shown_earlier),
    )


def fields(rule: Rule, event: Event) -> dict[str, Any]:
    """Return the fields that the rule releases, without absent ones and those under the rule's threshold."""
    data = vars(event.data)
    present = {name: data[name] for name in rule.release if data[name] is not None}
    if rule.suppress_below is None:
        return present
    thresholds = rule.suppress_below
    return {name: value for name, value in present.items() if not (name in thresholds and value < thresholds[name])}


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


def _by_forum(contract: Contract, state: State, event: Event, rule: Rule) -> dict[str, Any]:
    """Return what a view says of a rule whose basis is that of the meeting's forum."""
    if not isinstance(state, Case):
        raise StateError("a gate has the basis of a meeting's forum, the event has no case")
    return rule.ground(contract.forums[meeting_of(state, event.id).forum].basis)
