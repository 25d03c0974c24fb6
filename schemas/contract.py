"""The contract in force: what may be said (catalogue), by whom (parties), who may see what (policy).

Values only; `contract_files` reads and checks the files. A contract is named by the digest of its
three files as canonical JSON, which every event, view and receipt carries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from schemas.canonical import canonical
from schemas.contract_words import BY_FORUM
from schemas.errors import UnknownContractError

CITY = ZoneInfo("Europe/Copenhagen")
AUTHORITY_KINDS = frozenset({"administration", "unit", "police", "authority"})


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody on the bus. `kind` decides what it may say and be; `holds_case_data` what may reach it."""

    id: str
    da: str
    kind: str
    holds_case_data: bool
    under: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event: its class (0-4) and its type as the catalogue writes it."""

    name: str
    sensitivity: int
    type: str

    @property
    def is_ref(self) -> bool:
        """Whether the field holds a vault reference."""
        return self.type.rstrip("?") == "ref"


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event: who may say it, what it holds, what it needs of the case (in order)."""

    name: str
    da: str
    publishers: tuple[str, ...]
    fields: Mapping[str, Field]
    needs: tuple[str, ...]
    opens_case: bool = False
    has_case: bool = True


@dataclass(frozen=True, slots=True)
class Gate:
    """A legal gate: predicates that must all hold, the legal basis, what the recipient is obliged to."""

    name: str
    predicates: tuple[str, ...]
    basis: str
    obligations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forum:
    """A kind of meeting: its legal basis, the ages it is for, the parties that may sit in it."""

    name: str
    basis: str
    ages: frozenset[str]
    parties: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one recipient (a party or a role) may see of one type of event, through one gate."""

    id: str
    event: str
    to: str
    gate: Gate
    release: tuple[str, ...]
    refs: tuple[str, ...] = ()
    case_refs: tuple[str, ...] = ()
    when: Mapping[str, frozenset[Any]] | None = None
    to_publisher: bool = False  # `self: true` in the policy file
    non_holder: bool = False
    typed: bool = False
    consent: str | None = None
    suppress_below: Mapping[str, int] | None = None

    @property
    def is_marker(self) -> bool:
        """Whether the rule says only that something happened."""
        return not (self.release or self.refs or self.case_refs)

    def ground(self, basis: str) -> dict[str, Any]:
        """Return what a view says of this rule: its gate, the legal basis, what the recipient is obliged to."""
        return {"rule": self.id, "gate": self.gate.name, "basis": basis, "obligations": list(self.gate.obligations)}


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is due, from when, and who answers for it (see deadlines.py)."""

    name: str
    starts: str
    responsible: str
    met_by: tuple[str, ...]
    condition: str | None
    length: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long something is kept (see retention.py)."""

    name: str
    keep: str
    after: str | None
    condition: str | None
    of: str | None


@dataclass(frozen=True)
class Contract:
    """The three files of one date, checked whole."""

    valid_from: date
    version: int
    parties: Mapping[str, Party]
    types: Mapping[str, EventType]
    predicates: Mapping[str, str]
    gates: Mapping[str, Gate]
    forums: Mapping[str, Forum]
    rules: tuple[Rule, ...]
    deadlines: tuple[Deadline, ...]
    retention: tuple[Retention, ...]
    digest: str

    @cached_property
    def rules_of(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each type of event, in the order of the policy file."""
        return {name: tuple(rule for rule in self.rules if rule.event == name) for name in self.types}

    @cached_property
    def started_by(self) -> Mapping[str, tuple[Deadline, ...]]:
        """The deadlines that each type of event starts."""
        return {name: tuple(d for d in self.deadlines if d.starts == name) for name in self.types}

    @cached_property
    def ending(self) -> frozenset[str]:
        """The types of events that may end a deadline that runs: most do not, and need not be asked."""
        of_deadlines = {type_ for one in self.deadlines for type_ in (one.starts, *one.met_by)}
        return frozenset(of_deadlines | {"deadline-passed", "correction-issued"})

    @cached_property
    def deadline(self) -> Mapping[str, Deadline]:
        """Each deadline by its name."""
        return {deadline.name: deadline for deadline in self.deadlines}

    @cached_property
    def kept(self) -> Mapping[str, Retention]:
        """How long what is kept, by its name."""
        return {retention.name: retention for retention in self.retention}

    @cached_property
    def grounds(self) -> Mapping[str, orjson.Fragment]:
        """What views say of each rule, encoded once; not of those whose basis only a meeting's forum gives."""
        fixed = (rule for rule in self.rules if rule.gate.basis != BY_FORUM)
        return {rule.id: orjson.Fragment(canonical(rule.ground(rule.gate.basis))) for rule in fixed}

    @cached_property
    def markers(self) -> frozenset[str]:
        """The rules that hide even what happened."""
        return frozenset(rule.id for rule in self.rules if rule.is_marker and not rule.typed)

    @cached_property
    def rule(self) -> Mapping[str, Rule]:
        """Each rule by its id."""
        return {rule.id: rule for rule in self.rules}


class Contracts:
    """All contracts that the bus knows, by date and by digest."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        """Take them in any order. Raises UnknownContractError for none at all."""
        self._by_date = sorted(contracts, key=lambda contract: contract.valid_from)
        self._by_digest = {contract.digest: contract for contract in self._by_date}
        if not self._by_date:
            raise UnknownContractError("none found")

    @property
    def all(self) -> tuple[Contract, ...]:
        """Every contract, oldest first."""
        return tuple(self._by_date)

    @property
    def first(self) -> Contract:
        """The oldest contract."""
        return self._by_date[0]

    @property
    def parties(self) -> Mapping[str, Party]:
        """Everybody that any contract knows, as the newest that does says: topics and rights are for all of them."""
        return {party.id: party for contract in self._by_date for party in contract.parties.values()}

    @property
    def newest(self) -> Contract:
        """The newest contract."""
        return self._by_date[-1]

    def at(self, time: datetime) -> Contract:
        """Return the contract in force at a time (valid from midnight in the city). Raises UnknownContractError."""
        day = time.astimezone(CITY).date()
        in_force = [contract for contract in self._by_date if contract.valid_from <= day]
        if not in_force:
            raise UnknownContractError("none in force that early")
        return in_force[-1]

    def named(self, digest: str) -> Contract:
        """Return the contract with this digest. Raises UnknownContractError."""
        try:
            return self._by_digest[digest]
        except KeyError:
            raise UnknownContractError(digest[:12]) from None
