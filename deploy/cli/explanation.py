"""Why a party sees what it sees of an event: every rule of the event's type, and what it said to that party."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from schemas import contents, judge
from schemas.apply import apply
from schemas.case import State
from schemas.contract import Contract, Rule
from schemas.envelope import Admitted
from schemas.predicates import failure
from schemas.recipients import recipients
from schemas.verdicts import Verdict
from schemas.views import View

Said = Literal["released", "withheld", "not_addressed", "when_not_met", "own_event"]
TELLING = {"released", "withheld"}


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule, asked about one party. `reason` is the failed predicate's, where it withheld."""

    rule: str
    to: str
    said: Said
    gate: str
    predicates: tuple[str, ...]
    basis: str
    reason: str | None = None
    fields: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    case_refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the party gets of the event (None for nothing), and why. Names of fields, never values."""

    party: str
    verdict: Verdict
    view: View | None
    ruled: tuple[Ruled, ...]

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        view = self.view
        got = None if view is None else {name: sorted(view.data[name]) for name in ("fields", "refs", "case_refs")}
        rules = [asdict(ruled) for ruled in self.ruled]
        return {"party": self.party, "verdict": self.verdict.body(), "view": got, "rules": rules}


def explain(contract: Contract, before: State, admitted: Admitted, party: str) -> Explanation:
    """Judge the event and ask each rule of its type about the party, with the case as the rules see it."""
    judgement = judge.judge(contract, before, admitted)
    if judgement.decision is None:
        return Explanation(party, judgement.verdict, None, ())
    view = next((v for v in judgement.decision.views if v.recipient == party), None)
    bases = {ground["rule"]: ground["basis"] for ground in (view.data["grounds"] if view else ())}
    folded = apply(before, admitted.event)
    rules = contract.rules_of[admitted.event.type]
    ruled = tuple(_ruled(contract, folded, admitted, rule, party, bases.get(rule.id)) for rule in rules)
    return Explanation(party, judgement.verdict, view, ruled)


def _ruled(contract: Contract, state: State, admitted: Admitted, rule: Rule, party: str, basis: str | None) -> Ruled:
    said, reason = _asked(contract, state, admitted, rule, party)
    ground = (rule.gate.name, rule.gate.predicates, basis or rule.gate.basis)
    if said != "released":
        return Ruled(rule.id, rule.to, said, *ground, reason)
    event = admitted.event
    return Ruled(
        rule.id,
        rule.to,
        said,
        *ground,
        fields=tuple(sorted(contents.fields(rule, event))),
        refs=tuple(sorted(contents.refs(rule, event))),
        case_refs=tuple(sorted(contents.case_refs(rule, state, event))),
    )


def _asked(contract: Contract, state: State, admitted: Admitted, rule: Rule, party: str) -> tuple[Said, str | None]:
    """Ask in the order of policy.yaml: when, to, the publisher's own event, the gate."""
    event = admitted.event
    if not contents.applies(rule, event):
        return "when_not_met", None
    if party not in recipients(contract, state, event, rule.to):
        return "not_addressed", None
    if party == event.party and not rule.to_publisher:
        return "own_event", None
    reason = failure(contract, state, event.id, rule, party)
    return ("withheld", reason) if reason else ("released", None)
