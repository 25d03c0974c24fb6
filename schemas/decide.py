"""What leaves the bus of one accepted event: a view per party that a rule holds for, a receipt per addressee.

Default deny: a party that no rule addresses gets nothing, not even a receipt. The state is the one after
the event was folded. Worker and auditor call this same function, so its output is sorted and depends on
its arguments alone.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from schemas.case import State
from schemas.contents import Content, applies, content
from schemas.contract import Contract, Rule
from schemas.envelope import Admitted, Event, source_of, type_of
from schemas.predicates import failure
from schemas.recipients import recipients
from schemas.shown import Shown
from schemas.views import Decision, Heading, Receipt, View, heading_of, view_digest, view_id

# Fields of an event's own data that name parties (policy.yaml, on what the publisher's verdict says).
NAMING = ("owner", "invited", "attended", "provider", "recipients", "to")


class Ruling(Struct):
    """What the rules say of one party, in their order: those that hold, those that failed and why."""

    held: list[Rule]
    failed: dict[str, str]


def decide(contract: Contract, state: State, admitted: Admitted) -> Decision:
    """Return views and receipts by recipient, and the named parties that got no view."""
    event = admitted.event
    rulings = _rulings(contract, state, event)
    contents: dict[tuple[str, ...], Content] = {}
    headings: dict[str, Heading] = {}
    views: list[View] = []
    receipts: list[Receipt] = []
    shown: dict[str, Shown] = {}
    withheld: set[str] = set()
    for party in sorted(rulings):
        ruling = rulings[party]
        if not ruling.held:
            receipts.append(_withheld(contract, admitted, party, ruling))
            withheld.add(party)
            continue
        rules = tuple([rule.id for rule in ruling.held])
        released = contents.get(rules)
        if released is None:
            released = contents[rules] = content(contract, state, event, ruling.held, rules)
        heading = headings.get(released.type)
        if heading is None:
            heading = headings[released.type] = _heading(event, released.type)
        view = View(party, view_id(event.party, event.case, event.id, party), heading, released.value)
        views.append(view)
        receipts.append(_released(contract, admitted, view, released, ruling))
        shown[party] = released.shown
    written = tuple([receipt.value() for receipt in receipts])
    # Who is withheld though the event names it: a rule addressed it, and none holds.
    in_vain = tuple(sorted(withheld & _named(event))) if withheld else ()
    return Decision(tuple(views), tuple(receipts), written, in_vain, shown)


def _rulings(contract: Contract, state: State, event: Event) -> Mapping[str, Ruling]:
    rulings: dict[str, Ruling] = {}
    for rule in contract.rules_of[event.type]:
        if rule.when is not None and not applies(rule, event):
            continue
        for party in recipients(contract, state, event, rule.to):
            if party == event.party and not rule.to_publisher:
                continue
            ruling = rulings.get(party)
            if ruling is None:
                ruling = rulings[party] = Ruling([], {})
            reason = failure(contract, state, event.id, rule, party)
            if reason is None:
                ruling.held.append(rule)
            else:
                ruling.failed[rule.id] = reason
    return rulings


def _named(event: Event) -> set[str]:
    data = vars(event.data)
    return {party for name in NAMING if name in data for party in _parties(data[name])}


def _parties(value: str | tuple[str, ...]) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value


def _heading(event: Event, type_: str) -> Heading:
    return heading_of(type_of(type_), source_of(event.party), event.case, event.time, event.id)


def _released(contract: Contract, admitted: Admitted, view: View, released: Content, ruling: Ruling) -> Receipt:
    return Receipt(
        actor=None,
        contract=contract.digest,
        event=admitted.event.id,
        failed=ruling.failed,
        fields=released.fields,
        outcome="released",
        recipient=view.recipient,
        refs=released.refs,
        rules=released.rules,
        subject=admitted.event.case,
        time=admitted.seal.recorded,
        view_digest=view_digest(admitted.seal.salt, view),
    )


def _withheld(contract: Contract, admitted: Admitted, party: str, ruling: Ruling) -> Receipt:
    return Receipt(
        actor=None,
        contract=contract.digest,
        event=admitted.event.id,
        failed=ruling.failed,
        fields=(),
        outcome="withheld",
        recipient=party,
        refs=(),
        rules=(),
        subject=admitted.event.case,
        time=admitted.seal.recorded,
        view_digest=None,
    )
