"""Checks that are known to bite: each holds as things are, and fails once a guard behind it is taken away.

A check is a function of a contract that asserts. Taking a guard away patches the code, or gives an altered contract.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from schemas.contract import Contract
from schemas.contract_files import FILES, checked
from schemas.errors import ContractError
from schemas.located_yaml import parse
from tests.contracts import IN_FORCE
from tests.unit.scenarios import contract

Check = Callable[[Contract], None]
Removal = Callable[[pytest.MonkeyPatch], Contract]


@dataclass(frozen=True, slots=True)
class Guards:
    """The checks of one test file, and by what each is guarded."""

    checks: dict[str, Check] = field(default_factory=dict)
    removals: dict[tuple[str, str], Removal] = field(default_factory=dict)

    def check(self, **removals: Removal) -> Callable[[Check], Check]:
        """Note a check under its own name, with each guard that it must miss."""

        def noted(check: Check) -> Check:
            name = check.__name__
            self.checks[name] = check
            self.removals.update({(name, guard): removal for guard, removal in removals.items()})
            return check

        return noted

    def holds(self, name: str) -> None:
        """Run a check as things are."""
        self.checks[name](contract())

    def misses(self, name: str, guard: str, patch: pytest.MonkeyPatch) -> None:
        """Run a check without one of its guards: it must fail."""
        altered_ = self.removals[name, guard](patch)
        with pytest.raises(AssertionError):
            self.checks[name](altered_)


def patched(target: Any, name: str, value: Any) -> Removal:
    """Take a guard away that is a function or a value of the code."""

    def remove(patch: pytest.MonkeyPatch) -> Contract:
        patch.setattr(target, name, value)
        return contract()

    return remove


def altered(alter: Callable[[Contract], Contract]) -> Removal:
    """Take a guard away that stands in the contract."""
    return lambda _patch: alter(contract())


def with_type(name: str, /, **changes: Any) -> Callable[[Contract], Contract]:
    """Change what the catalogue says of a type of event."""
    return lambda given: replace(given, types={**given.types, name: replace(given.types[name], **changes)})


def without_rules(*ids: str) -> Callable[[Contract], Contract]:
    """Take rules out of the policy."""
    return lambda given: replace(given, rules=tuple(rule for rule in given.rules if rule.id not in ids))


def without_obligations(given: Contract) -> Contract:
    """Let no gate oblige anybody to anything."""
    rules = (replace(rule, gate=replace(rule.gate, obligations=())) for rule in given.rules)
    return replace(given, rules=tuple(rules))


def refused(file: str, *changes: tuple[str, str]) -> Iterable[bool]:
    """Say of each change to a file of the contract in force whether the contract is then refused whole."""
    texts = {name: (IN_FORCE / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}
    for old, new in changes:
        assert old in texts[file], old
        yield _refused({**texts, file: texts[file].replace(old, new, 1)})


def _refused(texts: Mapping[str, str]) -> bool:
    try:
        checked(**{name: parse(text, f"{name}.yaml") for name, text in texts.items()})
    except ContractError:
        return True
    return False
