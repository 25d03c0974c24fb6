"""What a rule releases of an event: fields by name, references of the event, references of earlier events.

Everything is taken by a name that the rule lists, so what no rule names cannot leave.
"""

from collections.abc import Mapping
from typing import Any

from schemas.case import Case, State
from schemas.case_facts import earlier_refs
from schemas.contract import Rule
from schemas.envelope import Event
from schemas.errors import StateError


def applies(rule: Rule, event: Event) -> bool:
    """Whether the rule's `when` holds on the event's own data; an absent value holds nothing."""
    return all(getattr(event.data, name) in values for name, values in (rule.when or {}).items())


def fields(rule: Rule, event: Event) -> dict[str, Any]:
    """Return the fields that the rule releases, without absent ones and those under the rule's threshold."""
    thresholds = rule.suppress_below or {}
    values = ((name, getattr(event.data, name)) for name in rule.release)
    return {
        name: value
        for name, value in values
        if value is not None and not (name in thresholds and value < thresholds[name])
    }


def refs(rule: Rule, event: Event) -> dict[str, str]:
    """Return the event's own references that the rule releases, without absent ones."""
    values = ((name, getattr(event.data, name)) for name in rule.refs)
    return {name: ref for name, ref in values if ref is not None}


def case_refs(rule: Rule, state: State, event: Event) -> dict[str, tuple[str, ...]]:
    """Return the references of earlier events that the rule releases; a name that has none is absent."""
    if not rule.case_refs:
        return {}
    if not isinstance(state, Case):
        raise StateError("a rule releases references of a case, the event has none")
    place = len(state.said) - 1  # the event was folded last
    found = {name: earlier_refs(state, event.id, place, name) for name in rule.case_refs}
    return {name: refs_ for name, refs_ in found.items() if refs_}


def union(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several rules release together: the same name is the same value of the same event."""
    return {name: value for part in parts for name, value in part.items()}
