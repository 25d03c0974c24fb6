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
from schemas.verdicts import Refusal, Verdict
from schemas.views import Decision
from schemas.vocabulary import instant
from tests.chaos.findings import Finding, Flaw
from tests.chaos.found import Records, outbound, place
from tests.speech import Saying


@dataclass(frozen=True, slots=True)
class Step:
    """An accepted event of a case or party: who said it, its place in that inbox, and the state afterwards."""

    party: str
    offset: int | None
    after: State


@dataclass(slots=True)
class Fold:
    """What follows from a log. `history`: what a case or party went through, the newest last."""

    contracts: Contracts
    history: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    views: list[Outbound] = field(default_factory=list)
    receipts: list[Outbound] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def states(self) -> dict[str, State]:
        return {key: steps[-1].after for key, steps in self.history.items()}

    def take(self, record: Inbound) -> None:
        """Fold the next record of the log."""
        try:
            admitted = admission.unseal(record)
        except MalformedError:
            self._note("unreadable", record)
            return
        try:
            self._replay(record, admitted)
        except Exception as error:  # noqa: BLE001 - a log that lacks an event may lead to anything
            self._note(f"cannot follow, {type(error).__name__}", record)

    def admission_refusal(self, saying: Saying) -> Refusal | None:
        """Return why a saying is refused before any case is asked, or None."""
        judged = self._admitted(saying)
        return judged if isinstance(judged, Refusal) else None

    def answers(self, saying: Saying, offset: int | None) -> Iterator[Verdict]:
        """Yield every verdict that a submission may have got instead of a place in the log.

        `offset`: of the submission in its party's inbox. What a party says of a case is judged in that order: so not
        under a state from before what it had said earlier, nor from after what it said later. The events of this run
        are judged alike at whatever time.
        """
        event = self._admitted(saying)
        if isinstance(event, Refusal):
            yield event
            return
        admitted = Admitted(event, Seal(saying.time, "", self.contracts.newest.digest, offset))
        for before in self._states(event, offset):
            if (verdict := check(self.contracts.newest, before, admitted)) is not None:
                yield verdict

    def _admitted(self, saying: Saying) -> Event | Refusal:
        now = instant(saying.time)
        return admit(self.contracts.newest, saying.party, saying.headers, saying.value, now)

    def _states(self, event: Event, offset: int | None) -> list[State]:
        steps = self.history.get(event.key, [])
        states = [state.empty(event.key), *(step.after for step in steps)]
        own = [(at, step.offset) for at, step in enumerate(steps) if step.party == event.party]
        if offset is None:
            return states
        first = max((at + 1 for at, there in own if there is not None and there < offset), default=0)
        last = min((at for at, there in own if there is not None and there > offset), default=len(steps))
        return states[first : last + 1]

    def _replay(self, record: Inbound, admitted: Admitted) -> None:
        event, contract = admitted.event, self.contracts.named(admitted.seal.contract)
        steps = self.history[event.key]
        before = steps[-1].after if steps else state.empty(event.key)
        if check(contract, before, admitted) is not None:
            self._note("accepted, and was to be refused", record)
        after, decision = judge.replay(contract, before, admitted)
        steps.append(Step(event.party, admitted.seal.inbox_offset, after))
        self._add(event, decision)
        if outbound(record) != outputs.log_record(admitted, decision.withheld):
            self._note("not as it is written", record)

    def _add(self, event: Event, decision: Decision) -> None:
        self.views += map(outputs.view_record, decision.views)
        self.receipts += (outputs.receipt_record(event, receipt) for receipt in decision.receipts)

    def _note(self, what: str, record: Inbound) -> None:
        self.findings.append(Finding(Flaw.ALTERED, f"{what}: {place(record)}"))


def folded(log: Records, contracts: Contracts) -> Fold:
    """Fold a log, partition by partition."""
    fold = Fold(contracts)
    for record in log:
        fold.take(record)
    return fold
