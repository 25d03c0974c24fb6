"""The policy as yaml itself reads it, so that the checker shares no line with the reader that the bus uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Allowance:
    """One rule: to whom, of which event, which fields and references."""

    id: str
    event: str
    to: str
    gate: str
    fields: frozenset[str]
    refs: frozenset[str]
    case_refs: frozenset[str]
    consent: str | None = None  # the scope that one must have
    when: Mapping[str, list[str]] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)
    non_holder: bool = False
    to_publisher: bool = False
    typed: bool = False

    @property
    def is_marker(self) -> bool:
        return not (self.fields or self.refs or self.case_refs or self.typed)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules by id, the parties, the gates and the forums, as they stand in the files."""

    valid_from: date
    rules: Mapping[str, Allowance]
    parties: Mapping[str, Mapping[str, Any]]
    gates: Mapping[str, Mapping[str, Any]]
    forums: Mapping[str, Mapping[str, Any]]


def read_all(folder: Path) -> tuple[Policy, ...]:
    """Return every policy of a folder of contracts, oldest first."""
    return tuple(sorted((read(each) for each in folder.iterdir()), key=lambda policy: policy.valid_from))


def read(folder: Path) -> Policy:
    said = yaml.safe_load((folder / "policy.yaml").read_text())
    parties = yaml.safe_load((folder / "parties.yaml").read_text())["parties"]
    rules = {rule["id"]: _allowance(rule) for rule in said["rules"]}
    return Policy(said["valid_from"], rules, parties, said["gates"], said["forums"])


def in_force(policies: Iterable[Policy], recorded: str) -> Policy:
    """Return the policy that judges what the bus took at a time."""
    return max(
        (policy for policy in policies if policy.valid_from.isoformat() <= recorded),
        key=lambda policy: policy.valid_from,
    )


def _allowance(rule: Mapping[str, Any]) -> Allowance:
    return Allowance(
        id=rule["id"],
        event=rule["event"],
        to=rule["to"],
        gate=rule["gate"],
        fields=frozenset(rule["release"]),
        refs=frozenset(rule.get("refs", ())),
        case_refs=frozenset(rule.get("case_refs", ())),
        consent=rule.get("consent"),
        when=rule.get("when", {}),
        least=rule.get("suppress_below", {}),
        non_holder=rule.get("non_holder", False),
        to_publisher=rule.get("self", False),
        typed=rule.get("typed", False),
    )
