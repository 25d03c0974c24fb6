"""Whether a party may open a reference: what a rule released once, its gate and role must still allow now.

Pure, and asked of the case as it is: a withdrawn consent, a new owner or a correction ends a reading that
was allowed yesterday, and so does a term that is over, whether or not the value is gone already. To whom
nothing was released is told `not_released` alone, whether the reference exists or not.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.case import Case, Said
from schemas.case_facts import earlier_sources
from schemas.contract import Contract, Rule
from schemas.predicates import failure
from schemas.retention import FACTS, expired


@dataclass(frozen=True, slots=True)
class Deposit:
    """A value in the vault: its reference, and the party, case and field that it was deposited for."""

    ref: str
    party: str
    case: str
    field: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Allowed: by these rules, of these events (in log order); by no rule where the depositor reads its own."""

    rules: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed: a code, and which rules fail now and why (sorted)."""

    reason: str
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Showing:
    """A rule of an event's view that released the reference; `carriers` said it by then."""

    event: str
    rule: str
    carriers: tuple[Said, ...]


def may_read(contract: Contract, case: Case, deposit: Deposit, party: str, now: datetime) -> Reading | Refused:
    """Return by which rules and events the party may read the deposit now, or why it may not. `now`: the bus's time."""
    carriers = {id_: (place, said) for place, id_, said in _carriers(case, deposit)}
    if party == deposit.party and carriers:  # whatever was corrected, it is its own
        return Refused("expired") if _is_over(contract, case, deposit, now) else Reading((), tuple(carriers))
    showings = list(_showings(case, deposit, party, carriers))
    if party not in contract.parties or not showings:
        return Refused("not_released")
    if _is_over(contract, case, deposit, now):
        return Refused("expired")
    standing = [showing for showing in showings if not all(said.recalled for said in showing.carriers)]
    if not standing:
        return Refused("corrected")
    judged = [(showing, _failure(contract, case, deposit.field, showing, party)) for showing in standing]
    allowed = [showing for showing, reason in judged if reason is None]
    if allowed:
        return Reading(_once(s.rule for s in allowed), _once(s.event for s in allowed))
    failed = {showing.rule: reason for showing, reason in judged if reason}
    return Refused(judged[0][1] or "not_released", tuple(sorted(failed.items())))


def _is_over(contract: Contract, case: Case, deposit: Deposit, now: datetime) -> bool:
    return deposit.field == FACTS and deposit.ref in expired(contract, case, now)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _carriers(case: Case, deposit: Deposit) -> Iterator[tuple[int, str, Said]]:
    """Find the accepted events by which the depositor said the reference in its case and field."""
    if case.id != deposit.case:
        return
    for place, (id_, said) in enumerate(case.said.items()):
        if said.party == deposit.party and said.refs.get(deposit.field) == deposit.ref:
            yield place, id_, said


def _showings(case: Case, deposit: Deposit, party: str, carriers: dict[str, tuple[int, Said]]) -> Iterator[Showing]:
    """Find where the party was shown the reference: with the event that said it, or with a later one."""
    for place, (id_, said) in enumerate(case.said.items()):
        shown = said.shown.get(party)
        # said again after this showing, the reference was released by another event or not at all
        by_then = {carrier: by for carrier, (at, by) in carriers.items() if at <= place}
        if shown is None or not by_then:
            continue
        if id_ in by_then:
            own = (rule for rule, names in shown.refs.items() if deposit.field in names)
            yield from (Showing(id_, rule, (by_then[id_],)) for rule in own)
        rules = [rule for rule, names in shown.earlier.items() if deposit.field in names]
        meant = earlier_sources(case, id_, place, deposit.field) if rules else ()
        # only those: another event that carries the reference too was perhaps never shown to this party
        if shown_by := tuple(by_then[source] for source in meant if source in by_then):
            yield from (Showing(id_, rule, shown_by) for rule in rules)


def _failure(contract: Contract, case: Case, field: str, showing: Showing, party: str) -> str | None:
    """Return why the rule of a showing does not hold now: its role, then its gate."""
    rule = contract.rule.get(showing.rule)
    same = rule is not None and rule.event == case.said[showing.event].type
    if rule is None or not same or field not in {*rule.refs, *rule.case_refs}:
        return "unknown_rule"  # a contract that does not release it any more
    return _role_failure(contract, case, rule, party) or failure(contract, case, showing.event, rule, party)


def _role_failure(contract: Contract, case: Case, rule: Rule, party: str) -> str | None:
    """Return why the party is not whom the rule means: an owner must own the case now, other roles stay."""
    if rule.to == "owner":
        return None if case.owner == party else "not_owner"
    return "unknown_rule" if rule.to in contract.parties and rule.to != party else None
