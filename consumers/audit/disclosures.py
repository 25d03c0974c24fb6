"""Who got what of a case: each receipt in the ledger with the gates and legal bases behind it.

The ledger says what happened; a rule's gate and basis are the contract's, and where a basis depends on the
meeting's forum it is taken from the view as it is told again from the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from consumers.audit.evidence import Stored
from consumers.audit.history import Told
from consumers.audit.receipts import is_receipt, read
from schemas.contract import Contract, Contracts
from schemas.errors import UnknownContractError


@dataclass(frozen=True, slots=True)
class Ground:
    """A rule with its gate and legal basis; `failed` is the reason why it released nothing."""

    rule: str
    gate: str | None
    basis: str | None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One receipt, explained. Names of fields, never values."""

    time: str
    recipient: str
    outcome: str
    event: str | None
    type: str | None
    actor: str | None
    fields: tuple[str, ...]
    refs: tuple[str, ...]
    grounds: tuple[Ground, ...]

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def disclosures(
    contracts: Contracts, ledger: Iterable[Stored], case: str, told: Told | None = None
) -> tuple[Disclosure, ...]:
    """Return what the ledger says of a case, in the order of the bus's clock."""
    bases = _bases(told)
    bodies = (read(stored.record) for stored in ledger)
    of_case = [body for body in bodies if is_receipt(body) and body["subject"] == case]
    types = _types(contracts, of_case) | {
        r.admitted.event.id: r.admitted.event.type for r in (told.events if told else ())
    }
    rows = [_disclosure(contracts, body, types, bases) for body in of_case]
    return tuple(sorted(rows, key=lambda row: (row.time, row.event or "", row.recipient)))


def _types(contracts: Contracts, bodies: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the type of each event by the rules that judged it: a receipt knows it where the log is gone."""
    found: dict[str, str] = {}
    for body in bodies:
        contract = _contract(contracts, body["contract"])
        names = [*body["rules"], *body["failed"]] if contract and body["outcome"] in {"released", "withheld"} else ()
        rules = [contract.rule[name] for name in names if contract and name in contract.rule]
        if rules and body["event"]:
            found[body["event"]] = rules[0].event
    return found


Bases = Mapping[tuple[str, str, str], str]


def _bases(told: Told | None) -> Bases:
    return {
        (retold.admitted.event.id, view.recipient, ground["rule"]): ground["basis"]
        for retold in (told.events if told else ())
        for view in retold.decision.views
        for ground in view.data["grounds"]
    }


def _disclosure(contracts: Contracts, body: dict[str, Any], types: Mapping[str, str], bases: Bases) -> Disclosure:
    contract = _contract(contracts, body["contract"])
    about = (body["event"], body["recipient"])
    held = [_ground(contract, rule, None, bases.get((*about, rule))) for rule in body["rules"]]
    failed = [_ground(contract, rule, reason, None) for rule, reason in body["failed"].items()]
    return Disclosure(
        body["time"],
        body["recipient"],
        body["outcome"],
        body["event"],
        types.get(body["event"]),
        body["actor"],
        tuple(body["fields"]),
        tuple(body["refs"]),
        (*held, *failed),
    )


def _ground(contract: Contract | None, id_: str, failed: str | None, basis: str | None) -> Ground:
    rule = contract.rule.get(id_) if contract else None
    if rule is None:
        return Ground(id_, None, basis, failed)
    return Ground(id_, rule.gate.name, basis or rule.gate.basis, failed)


def _contract(contracts: Contracts, digest: str) -> Contract | None:
    try:
        return contracts.named(digest)
    except UnknownContractError:
        return None
