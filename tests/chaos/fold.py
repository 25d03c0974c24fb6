"""What follows from the log: states, views and receipts, in the order in which the bus must have written them.

By the bus's own pure functions, which the auditor calls too; disclosure.py asks the policy's text beside them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas import admission, judge, outputs, state
from schemas.admission import admit
from schemas.case import State
from schemas.check import check
from schemas.contract import Contracts
from schemas.envelope import Admitted, Event, Seal
from schemas.errors import MalformedError
from schemas.records import Inbound, Outbound
from schemas.verdicts import Verdict
from schemas.vocabulary import instant
from tests.chaos.findings import Finding, Flaw
from tests.chaos.found import Records, headers_of, place
from tests.speech import Saying


@dataclass(slots=True)
class Fold:
    """What follows from a log. `history`: the states that a case or party went through, the newest last."""

    contracts: Contracts
    history: dict[str, list[State]] = field(default_factory=lambda: defaultdict(list))
    views: list[Outbound] = field(default_factory=list)
    receipts: list[Outbound] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def states(self) -> dict[str, State]:
        return {key: states[-1] for key, states in self.history.items()}

    def take(self, record: Inbound) -> None:
        """Fold the next record of the log."""
        try:
            admitted = admission.unseal(record)
        except MalformedError:
            self.findings.append(Finding(Flaw.ALTERED, f"unreadable: {place(record)}"))
        else:
            self._replay(record, admitted)

    def _replay(self, record: Inbound, admitted: Admitted) -> None:
        key = admitted.event.key
        before = self.history[key][-1] if key in self.history else state.empty(key)
        after, decision = judge.replay(self.contracts.named(admitted.seal.contract), before, admitted)
        self.history[key].append(after)
        self.views += [outputs.view_record(view) for view in decision.views]
        self.receipts += [outputs.receipt_record(admitted.event, receipt) for receipt in decision.receipts]
        if headers_of(record).get("ce_withheld", "") != ",".join(decision.withheld):
            self.findings.append(Finding(Flaw.ALTERED, f"withheld: {place(record)}"))

    def answers(self, saying: Saying) -> Iterator[Verdict]:
        """Yield every verdict that would not have led to a log record, whenever it was judged."""
        contract = self.contracts.newest
        event = admit(contract, saying.party, saying.headers, saying.value, instant(saying.time))
        if not isinstance(event, Event):
            yield event
            return
        admitted = Admitted(event, Seal(saying.time, "", contract.digest, None))
        for before in (state.empty(event.key), *self.history.get(event.key, ())):
            if (verdict := check(contract, before, admitted)) is not None:
                yield verdict


def folded(log: Records, contracts: Contracts) -> Fold:
    """Fold a log, partition by partition."""
    fold = Fold(contracts)
    for record in log:
        fold.take(record)
    return fold
