"""Whether the policy allows a view: asked of its text and of what was said in the case, not of the bus's functions.

Whether a gate's conditions held is conditions.py's question. Here: whether these rules can give these fields and
references of this event to this party.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tests.chaos import conditions
from tests.chaos.policy_reading import Allowance, Policy
from tests.chaos.said import Said, Shown

SOURCES = frozenset({"concern-raised", "child-notification-forwarded", "relative-support-started"})
MARKER = "case-touched"


@dataclass(slots=True)
class Told:
    """Who has got a view of which event, and with which references, by the event's id."""

    of_event: dict[str, dict[str, frozenset[str]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, view: Shown) -> None:
        self.of_event[view.event][view.recipient] = view.all_refs

    def of(self, event: str) -> set[str]:
        return set(self.of_event.get(event, ()))

    def with_any(self, refs: set[str], event: str) -> set[str]:
        """Return who got any of these references with an event."""
        return {party for party, got in self.of_event.get(event, {}).items() if got & refs}


def objections(policy: Policy, view: Shown, event: Said, told: Told) -> Iterator[str]:
    """Yield what the policy has against a view: nothing, where it is allowed."""
    names = [ground["rule"] for ground in view.data["grounds"]]
    if unknown := [name for name in names if name not in policy.rules] or not names:
        yield f"rules unknown or none: {unknown}"
        return
    rules = [policy.rules[name] for name in names]
    yield from (problem for rule in rules for problem in _of_rule(policy, rule, view, event, told))
    yield from _of_grounds(policy, view, event)
    if view.type != (MARKER if all(rule.is_marker for rule in rules) else event.type):
        yield "type"
    yield from _of_content(rules, view, event)


def _of_rule(policy: Policy, rule: Allowance, view: Shown, event: Said, told: Told) -> Iterator[str]:
    if rule.event != event.type:
        yield f"{rule.id} is no rule of this type"
        return  # what it asks for cannot be asked of another
    if any(event.data.get(name) not in values for name, values in rule.when.items()):
        yield f"{rule.id} does not apply"
    if not (policy.parties[view.recipient]["holds_case_data"] or rule.non_holder):
        yield f"{rule.id} is not for who may not hold case data"
    if view.recipient == event.party and not rule.to_publisher:
        yield f"{rule.id} is not for the publisher"
    if view.recipient not in meant(policy, rule.to, event, told):
        yield f"{rule.id} does not mean this party"
    for name in conditions.failing(policy, rule, view.recipient, event):
        yield f"{rule.id} asks for {name}"


def _of_grounds(policy: Policy, view: Shown, event: Said) -> Iterator[str]:
    for ground in view.data["grounds"]:
        rule = policy.rules[ground["rule"]]
        gate = policy.gates[rule.gate]
        bases = _forum_bases(policy, event) if gate["basis"] == "by_forum" else {gate["basis"]}
        if ground["gate"] != rule.gate or ground["basis"] not in bases or ground["obligations"] != gate["obligations"]:
            yield f"grounds of {rule.id}"


def _forum_bases(policy: Policy, event: Said) -> set[str]:
    return {policy.forums[meeting.data["forum"]]["basis"] for meeting in _meetings(event)}


def _of_content(rules: list[Allowance], view: Shown, event: Said) -> Iterator[str]:
    fields, refs, case_refs = (view.data[part] for part in ("fields", "refs", "case_refs"))
    for name, value in fields.items():
        releasing = [rule for rule in rules if name in rule.fields]
        if not any(value >= rule.least[name] if name in rule.least else True for rule in releasing):
            yield f"field {name}"
        if name not in event.data or event.data[name] != value:
            yield f"value of {name}"
    for name, ref in refs.items():
        if not any(name in rule.refs for rule in rules) or event.data.get(name) != ref:
            yield f"reference {name}"
    for name, several in case_refs.items():
        if not any(name in rule.case_refs for rule in rules) or not set(several) <= _earlier(event, name):
            yield f"earlier reference {name}"


def _earlier(event: Said, name: str) -> set[str]:
    """Return the references of this name that the case ever had in the events that `case_refs` means."""
    types = {"transfer-initiated"} if name == "dossier" else SOURCES
    return {said.data[name] for said in event.history if said.type in types and name in said.data}


def meant(policy: Policy, to: str, event: Said, told: Told) -> set[str]:
    """Return the parties that a rule's `to` can mean."""
    if to == "everyone":
        return set(policy.parties)
    return {to} if to in policy.parties else _ROLES[to](policy, event, told)


def _owner(_: Policy, event: Said, __: Told) -> set[str]:
    return {conditions.owner(event.history) or ""}


def _old_owner(_: Policy, event: Said, __: Told) -> set[str]:
    return {conditions.owner(event.before) or ""} if event.type == "transfer-accepted" else set()


def _about(event: Said, type_: str, name: str) -> list[Said]:
    """Return the events of a type that have the same meeting, measure or transfer as this one."""
    found = (said for said in event.history if said.type == type_)
    return [said for said in found if said.data[name] == event.data.get(name)]


def _meetings(event: Said) -> list[Said]:
    return _about(event, "meeting-scheduled", "meeting")


def _new_owner(_: Policy, event: Said, __: Told) -> set[str]:
    return {said.data["to"] for said in _about(event, "transfer-initiated", "transfer")}


def _invited(_: Policy, event: Said, __: Told) -> set[str]:
    return {party for meeting in _meetings(event) for party in meeting.data["invited"]}


def _provider(_: Policy, event: Said, __: Told) -> set[str]:
    return {said.data["provider"] for said in _about(event, "measure-started", "measure")}


def _informed_provider(_: Policy, event: Said, told: Told) -> set[str]:
    started = _about(event, "measure-started", "measure")
    return {said.data["provider"] for said in started if said.data["provider"] in told.of(said.id)}


def _publisher_of(name: str) -> Callable[[Policy, Said, Told], set[str]]:
    return lambda _, event, __: {said.party for said in event.before if said.id == event.data.get(name)}


def _named(_: Policy, event: Said, __: Told) -> set[str]:
    return set(event.data.get("recipients", ()))


def _event_recipients(_: Policy, event: Said, told: Told) -> set[str]:
    """Return who got a view of the corrected event, or one of its references with another."""
    values = (value for said in event.before if said.id == event.data["corrects"] for value in said.data.values())
    refs = {value for value in values if isinstance(value, str) and value.startswith("vault:")}
    return told.of(event.data["corrects"]).union(*(told.with_any(refs, said.id) for said in event.before))


def _case_recipients(policy: Policy, event: Said, told: Told) -> set[str]:
    known = {party for said in event.before for party in told.of(said.id)}
    return {
        party
        for party in known
        if policy.parties[party]["holds_case_data"] and policy.parties[party]["kind"] != "oversight"
    }


_ROLES: Mapping[str, Callable[[Policy, Said, Told], set[str]]] = MappingProxyType(
    {
        "owner": _owner,
        "old_owner": _old_owner,
        "new_owner": _new_owner,
        "invited": _invited,
        "attended": lambda _, event, __: set(event.data.get("attended", ())),
        "provider": _provider,
        "informed_provider": _informed_provider,
        "notifier": _publisher_of("concern"),
        "named": _named,
        "responsible": lambda _, event, __: {event.data.get("responsible", "")},
        "issuer": _publisher_of("correction"),
        "event_recipients": _event_recipients,
        "case_recipients": _case_recipients,
    }
)
