"""What leaves the bus of one accepted event: a view per party that a rule holds for, a receipt per addressee.

Default deny: a party that no rule addresses gets nothing, not even a receipt. The state is the one after
the event was folded. Worker and auditor call this same function, so its output is sorted and depends on
its arguments alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas import contents
from schemas.case import Case, Shown, State
from schemas.case_facts import meeting_of
from schemas.contract import Contract, Rule
from schemas.contract_words import BY_FORUM
from schemas.envelope import Admitted, Event, source_of, type_of
from schemas.errors import StateError
from schemas.predicates import Question, failure
from schemas.recipients import recipients
from schemas.views import Decision, Receipt, View, view_digest, view_id

MARKER = "case-touched"
# Fields of an event's own data that name parties (policy.yaml, on what the publisher's verdict says).
NAMING = ("owner", "invited", "attended", "provider", "recipients", "to")


@dataclass(slots=True)
class Ruling:
    """What the rules say of one party, in their order: those that hold, those that failed and why."""

    held: list[Rule] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def decide(contract: Contract, state: State, admitted: Admitted) -> Decision:
    """Return views and receipts by recipient, and the named parties that got no view."""
    event = admitted.event
    rulings = _rulings(contract, state, event)
    decided = [_decided(contract, state, admitted, party, rulings[party]) for party in sorted(rulings)]
    withheld = {party for party, ruling in rulings.items() if not ruling.held}
    return Decision(
        views=tuple(view for view, _, __ in decided if view),
        receipts=tuple(receipt for _, receipt, __ in decided),
        withheld=tuple(sorted(withheld & _named(event))),
        shown={view.recipient: shown for view, _, shown in decided if view and shown},
    )


def _rulings(contract: Contract, state: State, event: Event) -> Mapping[str, Ruling]:
    rulings: dict[str, Ruling] = {}
    for rule in contract.rules_of[event.type]:
        if not contents.applies(rule, event):
            continue
        for party in recipients(contract, state, event, rule.to):
            if party == event.party and not rule.to_publisher:
                continue
            ruling = rulings.setdefault(party, Ruling())
            if reason := failure(Question(contract, state, event.id, rule, party)):
                ruling.failed.append((rule.id, reason))
            else:
                ruling.held.append(rule)
    return rulings


def _named(event: Event) -> set[str]:
    data = vars(event.data)
    return {party for name in NAMING if name in data for party in _parties(data[name])}


def _parties(value: str | tuple[str, ...]) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value


def _decided(
    contract: Contract, state: State, admitted: Admitted, party: str, ruling: Ruling
) -> tuple[View | None, Receipt, Shown | None]:
    event, seal = admitted.event, admitted.seal
    if not ruling.held:
        receipt = Receipt(
            event.id,
            event.case,
            party,
            "withheld",
            seal.recorded,
            contract.digest,
            failed=tuple(ruling.failed),
        )
        return None, receipt, None
    view = _view(contract, state, event, party, ruling.held)
    receipt = Receipt(
        event=event.id,
        subject=event.case,
        recipient=party,
        outcome="released",
        time=seal.recorded,
        contract=contract.digest,
        rules=tuple(rule.id for rule in ruling.held),
        failed=tuple(ruling.failed),
        fields=tuple(sorted(view.data["fields"])),
        refs=tuple(sorted({*view.data["refs"], *view.data["case_refs"]})),
        view_digest=view_digest(seal.salt, view),
    )
    return view, receipt, _shown(view, ruling.held)


def _view(contract: Contract, state: State, event: Event, party: str, held: list[Rule]) -> View:
    data = {
        "fields": contents.union([contents.fields(rule, event) for rule in held]),
        "refs": contents.union([contents.refs(rule, event) for rule in held]),
        "case_refs": contents.union([contents.case_refs(rule, state, event) for rule in held]),
        "grounds": [_ground(contract, state, event, rule) for rule in held],
        "contract": contract.digest,
    }
    marker = all(rule.is_marker and not rule.typed for rule in held)
    return View(
        recipient=party,
        id=view_id(event, party),
        type=type_of(MARKER if marker else event.type),
        source=source_of(event.party),
        case=event.case,
        time=event.time,
        event=event.id,
        data=data,
    )


def _ground(contract: Contract, state: State, event: Event, rule: Rule) -> dict[str, Any]:
    gate = rule.gate
    return {
        "rule": rule.id,
        "gate": gate.name,
        "basis": _forum_basis(contract, state, event) if gate.basis == BY_FORUM else gate.basis,
        "obligations": list(gate.obligations),
    }


def _forum_basis(contract: Contract, state: State, event: Event) -> str:
    if not isinstance(state, Case):
        raise StateError("a gate has the basis of a meeting's forum, the event has no case")
    return contract.forums[meeting_of(state, event.id).forum].basis


def _shown(view: View, held: list[Rule]) -> Shown:
    return Shown(
        rules=tuple(rule.id for rule in held),
        refs=_by_rule({rule.id: rule.refs for rule in held}, view.data["refs"]),
        earlier=_by_rule({rule.id: rule.case_refs for rule in held}, view.data["case_refs"]),
    )


def _by_rule(listed: Mapping[str, tuple[str, ...]], released: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    present = {rule: tuple(name for name in names if name in released) for rule, names in listed.items()}
    return {rule: names for rule, names in present.items() if names}
