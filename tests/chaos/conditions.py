"""Whether the conditions of a rule's gate hold, by the words of policy.yaml and catalogue.yaml.

Asked of what was said in the case up to the event, and read anew: no line of the bus's own predicates is used, so that
a predicate that the bus forgets, or gets wrong, is found.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from tests.chaos.policy_reading import Allowance, Policy
from tests.chaos.said import Said

UNDER_18 = frozenset({"under_10", "10_14", "15_17"})
HANDOVER_FORUMS = frozenset({"ssp", "psp", "ksp"})
AUTHORITIES = frozenset({"administration", "unit", "police", "authority"})
UNDOING = frozenset({"wrong_subject", "withdrawn"})


def failing(policy: Policy, rule: Allowance, party: str, event: Said) -> Iterator[str]:
    """Yield the conditions of the rule's gate that do not hold for a party at an event."""
    for name in policy.gates[rule.gate]["predicates"]:
        if not _CONDITIONS[name](policy, rule, party, event):
            yield name


def owner(history: Iterable[Said]) -> str | None:
    """Return who owns a case after all this."""
    owner = None
    for said in history:
        if said.type == "concern-screened":
            owner = said.data["owner"]
        elif said.type in {"relative-support-started", "transfer-accepted"}:
            owner = said.party
    return owner


def _undone(event: Said) -> frozenset[str]:
    corrections = (said.data for said in event.history if said.type == "correction-issued")
    return frozenset(data["corrects"] for data in corrections if data["reason"] in UNDOING)


def _standing(event: Said, *types: str) -> list[Said]:
    undone = _undone(event)
    return [said for said in event.history if said.type in types and said.id not in undone]


def _is_child(event: Said) -> bool:
    """A transfer for turning 18 makes an adult, though not yet for the event that accepts it."""
    accepted = {said.data["transfer"] for said in event.before if said.type == "transfer-accepted"}
    begun = (said.data for said in event.before if said.type == "transfer-initiated")
    if any(data["kind"] == "turning_18" and data["transfer"] in accepted for data in begun):
        return False
    concerns = _standing(event, "concern-raised")
    return bool(concerns) and concerns[-1].data["age_band"] in UNDER_18


def _is_covered(rule: Allowance, party: str, event: Said) -> bool:
    consents = _standing(event, "consent-recorded")
    withdrawn = {said.data["consent"] for said in event.history if said.data.get("state") == "withdrawn"}
    return any(
        party in said.data["recipients"] and rule.consent in said.data["scope"]
        for said in consents
        if said.data["consent"] not in withdrawn
    )


def _forum_permits(policy: Policy, rule: Allowance, party: str, event: Said) -> bool:
    forum = _forums(event).get(event.data["meeting"], "")
    if forum == "consent":
        return _is_covered(rule, party, event)
    return forum in policy.forums and party in policy.forums[forum]["parties"]


def _forums(event: Said) -> dict[str, str]:
    """Return the forum of each meeting of the case."""
    scheduled = (said.data for said in event.history if said.type == "meeting-scheduled")
    return {data["meeting"]: data["forum"] for data in scheduled}


def _met(party: str, other: str | None, event: Said) -> bool:
    forums = _forums(event)
    held = (said.data for said in event.history if said.type == "meeting-held")
    return any(
        {party, other} <= {*data["attended"]} and forums.get(data["meeting"]) in HANDOVER_FORUMS for data in held
    )


def _has_handover_basis(_: Policy, rule: Allowance, party: str, event: Said) -> bool:
    return _is_child(event) or _is_covered(rule, party, event) or _met(party, owner(event.before), event)


_CONDITIONS: Mapping[str, Callable[[Policy, Allowance, str, Said], bool]] = MappingProxyType(
    {
        "subject_is_child": lambda _, __, ___, event: _is_child(event),
        "forum_permits": _forum_permits,
        "consent_covers": lambda _, rule, party, event: _is_covered(rule, party, event),
        "handover_basis": _has_handover_basis,
        "police_decided": lambda _, __, ___, event: bool(_standing(event, "police-disclosure-decided")),
        "is_authority": lambda policy, _, party, __: policy.parties[party]["kind"] in AUTHORITIES,
    }
)
