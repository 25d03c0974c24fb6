"""COORDINATE: one pass per admitted event, per case in order: check, apply, decide, remember.

The whole consequence of an event leaves together: its log record, each recipient's view, the receipts,
the case's new state. The state is written once per case and batch; a reader of the newest one misses nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from schemas import admission, judge, state
from schemas.case import Case, State
from schemas.check import FULL
from schemas.contract import Contract, Contracts
from schemas.envelope import SOURCE_PREFIX, Admitted
from schemas.errors import UnknownContractError, UnstorableError
from schemas.outputs import carried_over, receipt_record, state_record, view_record
from schemas.records import Inbound, Outbound
from schemas.verdicts import answer
from streams import dead_letters
from streams.step import Dead, Kept, Memory, Outcome

MOST_STATE = 3 * 1024 * 1024  # under the 4 MiB that the topic takes; fewer than FULL events are far from it


@dataclass(frozen=True, slots=True)
class Coordinate:
    """The step. `decide` is an argument so that a test can make it fail for one event."""

    contracts: Contracts
    decide: Callable[[Contract, State, Admitted], judge.Judgement] = judge.judge

    name: ClassVar[str] = "coordinate"
    remembers: ClassVar[bool] = True

    def judge(self, run: Sequence[Inbound], memory: Memory) -> Outcome:
        """Judge each event against its case as the events before it left the case."""
        outputs: list[Outbound] = []
        dead: list[Dead] = []
        changed: dict[str, tuple[State, str]] = {}  # key -> newest state, digest of the contract that judged last
        for record in run:
            try:
                admitted = admission.unseal(record)
                key = admitted.event.key
                before = changed[key][0] if key in changed else memory.get(key)
                written, after = self._judge(before, admitted, record)
            except UnknownContractError:
                raise  # not the event's fault but ours: end, before a good event is refused
            except Exception as error:  # noqa: BLE001 - one bad record stops nothing: answered and dead-lettered
                dead.append(dead_letters.dead(self.name, record, error))
                outputs += [*self._internal(record), dead_letters.letter(dead[-1])]
                continue
            outputs += written
            if after is not before:
                changed[key] = (after, admitted.seal.contract)
        kept = {key: Kept(after, state.encode(after)) for key, (after, _) in changed.items()}
        outputs += [state_record(key, kept[key].encoded, contract) for key, (_, contract) in changed.items()]
        return Outcome(tuple(outputs), kept, tuple(dead))

    def _judge(self, before: State, admitted: Admitted, record: Inbound) -> tuple[list[Outbound], State]:
        event, seal = admitted.event, admitted.seal
        judgement = self.decide(self.contracts.named(seal.contract), before, admitted)
        decision = judgement.decision
        if decision is None:  # refused, or said before: the state is what it was
            return [answer(event.party, judgement.verdict, seal.inbox_offset)], before
        views = [view_record(view) for view in decision.views]
        receipts = [receipt_record(event, receipt) for receipt in decision.receipts]
        _require_storable(judgement.state)
        return [carried_over(record, event, decision.withheld), *views, *receipts], judgement.state

    def _internal(self, record: Inbound) -> list[Outbound]:
        """Answer the publisher by the seal's own headers: the event itself could not be judged."""
        said = {name: (value or b"").decode("ascii", "replace") for name, value in record.headers}
        party = said.get("ce_source", "").removeprefix(SOURCE_PREFIX)
        if party not in self.contracts.parties:  # not a record of ADMIT's: there is nobody to answer
            return []
        offset = said.get("ce_inboxoffset", "")
        return [answer(party, dead_letters.refusal(record.headers), int(offset) if offset.isdecimal() else None)]


def _require_storable(after: State) -> None:
    """A case that can grow past its limit by what is always taken must fail by itself, not stop its partition."""
    if isinstance(after, Case) and len(after.said) > FULL and len(state.encode(after)) > MOST_STATE:
        raise UnstorableError
