"""An event that is asked whether the case has what it needs, and the form of each such question."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from schemas.case import Case
from schemas.contract import Contract
from schemas.envelope import Event
from schemas.value import Value

SERVING = frozenset({"administration", "unit", "authority"})  # these provide measures and take cases over


class Claim(Value, frozen=True):
    """An event that a party says about a case, not yet accepted. `recorded`: the bus's clock."""

    contract: Contract
    case: Case
    event: Event
    party: str
    recorded: str

    def kind(self, party: str) -> str:
        """Return the kind of a party of the contract."""
        return self.contract.parties[party].kind


class Need(Value, frozen=True):
    """Whether it is met, and the fields of the event that are at fault where it is not."""

    met: Callable[[Claim, Any], bool]
    fields: tuple[str, ...] = ()


Needs: TypeAlias = Mapping[str, Mapping[str, Need]]  # type of event -> reason -> need


def active(claim: Claim, _: object) -> bool:
    """Whether the case is active, as the catalogue defines it."""
    return claim.case.active


def nothing_pending(claim: Claim, _: object) -> bool:
    """Whether no transfer of the case is pending."""
    return claim.case.pending_transfer is None


def was_said(case: Case, event: str, type_: str) -> bool:
    """Whether an event of the case has this id and this type."""
    said = case.said.get(event)
    return said is not None and said.type == type_
