"""The log told again: each record through the same pure steps that the worker took, state by state.

Nothing is checked a second time: what stands in the log was accepted. A record that cannot be told again
is a finding, and the telling goes on with the state before it. Nor is one told that stands in another partition than
its case's: no worker would read it there, and what it follows upon stands elsewhere.
"""

from collections.abc import Mapping

from consumers.audit.evidence import Stored
from consumers.audit.findings import Finding, of_log
from consumers.audit.share import home_of
from schemas.admission import unseal
from schemas.case import Case, State, Utterances
from schemas.contract import Contracts
from schemas.envelope import Admitted
from schemas.errors import SamspilError, UnknownContractError
from schemas.judge import replay
from schemas.outputs import log_record
from schemas.records import Outbound
from schemas.state import empty
from schemas.value import Value
from schemas.views import Decision


class Retold(Value, frozen=True):
    """An accepted event with what follows from it: the state after it, and the decision."""

    stored: Stored
    admitted: Admitted
    state: State
    decision: Decision


class Held(Value, frozen=True):
    """The newest state of a case or party, and the contract that judged its newest event."""

    state: State
    contract: str


class Retelling:
    """Tells log records again, in the order of their partitions, and keeps every state."""

    def __init__(self, contracts: Contracts) -> None:
        """Start with no state at all: the log is the whole story."""
        self._contracts = contracts
        self._held: dict[str, Held] = {}

    @property
    def held(self) -> Mapping[str, Held]:
        """The state of each case and party so far."""
        return self._held

    def tell(self, stored: Stored) -> Retold | Finding:
        if stored.record.value is None:
            return of_log(stored, "erased")
        try:
            admitted = unseal(stored.record)
        except SamspilError:
            return of_log(stored, "unreadable")
        key = admitted.event.key
        if home_of(key) != stored.record.partition:
            return of_log(stored, "misplaced")
        held = self._held.get(key)
        before = held.state if held else empty(key)
        if isinstance(before, Case | Utterances) and admitted.event.id in before.said:
            return of_log(stored, "repeated")
        return self._judge(stored, admitted, before)

    def _judge(self, stored: Stored, admitted: Admitted, before: State) -> Retold | Finding:
        try:
            contract = self._contracts.named(admitted.seal.contract)
        except UnknownContractError:
            return of_log(stored, "contract")
        try:
            after, decision = replay(contract, before, admitted)
        except Exception:  # noqa: BLE001 - the auditor's guard, as the worker's: a step that raises is the finding
            return of_log(stored, "judgement")
        self._held[admitted.event.key] = Held(after, admitted.seal.contract)
        return Retold(stored, admitted, after, decision)


def has_its_form(retold: Retold) -> bool:
    """Whether a record has the bytes that the bus gives it, given that it could be told again."""
    record = retold.stored.record
    due: Outbound = log_record(retold.admitted, retold.decision.withheld)
    return (record.key, record.value, record.headers) == (due.key, due.value, due.headers)
