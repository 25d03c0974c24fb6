"""COORDINATE: one pass per admitted event, per case in order: check, apply, decide, remember.

The whole consequence of an event leaves together: its log record, each recipient's view, the receipts,
the case's new state. The state is written once per case and batch; a reader of the newest one misses nothing.

What time brings (a deadline that passed, a case that is over) the bus says itself: before the case's next event, as
of that event's time, and at a tick where no event comes. So it follows from the log alone, however late the tick is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from schemas import admission, judge, orders, state, topics
from schemas.case import Case, Erased, Hold, State, hold_key
from schemas.check import FULL
from schemas.contract import Contract, Contracts
from schemas.envelope import SOURCE_PREFIX, Admitted, Seal
from schemas.errors import UnknownContractError, UnstorableError
from schemas.orders import Order, Ordered
from schemas.outputs import carried_over, erasures, log_record, marks, receipt_records, view_record
from schemas.records import Inbound, Outbound
from schemas.terms import erased, said_by_bus
from schemas.verdicts import answer
from schemas.views import Decision
from streams import dead_letters
from streams.batch import Batch, Memory, Outcome

_NOWHERE = -1
MOST_STATE = 3 * 1024 * 1024  # under the 4 MiB that the topic takes; fewer than FULL events are far from it


@dataclass(frozen=True, slots=True)
class Coordinate:
    """The step. Salts are handed in; `decide` is an argument so that a test can make it fail for one event."""

    contracts: Contracts
    salt: Callable[[], str]
    decide: Callable[[Contract, State, Admitted], judge.Judgement] = judge.judge

    name: ClassVar[str] = "coordinate"
    remembers: ClassVar[bool] = True

    def judge(self, batch: Batch, record: Inbound) -> None:
        """Judge an event against its case as the events before it left the case."""
        try:
            self._judge(batch, record)
        except UnknownContractError:
            raise  # not the event's fault but ours: end, before a good event is refused
        except Exception as error:  # noqa: BLE001 - one bad record stops nothing: answered and dead-lettered
            batch.dead.append(dead_letters.dead(self.name, record, error))
            batch.outputs += [*self._internal(record), dead_letters.letter(batch.dead[-1])]

    def tick(self, keys: Iterable[str], memory: Memory, now: str, contract: Contract) -> Outcome:
        """Say what the bus has to say of these cases, the time being `now`.

        A case that fails is passed over, and named by the place of its state (no offset: it was not read from there).
        """
        batch = Batch(memory)
        for key in keys:
            try:
                self._say(batch, key, now, contract)
            except Exception as error:  # noqa: BLE001 - one case's fault must not stop the others of its partition
                place = Inbound(topics.CASES, topics.partition_of(key.encode()), _NOWHERE, None, None, ())
                batch.dead.append(dead_letters.dead(self.name, place, error))
        return batch.outcome()

    def _judge(self, batch: Batch, record: Inbound) -> None:
        if orders.is_sealed(record.headers):
            self._carry_out(batch, record)
            return
        admitted = admission.unseal(record)
        event, seal = admitted.event, admitted.seal
        contract = self.contracts.named(seal.contract)
        before = batch.state(event.key)
        if isinstance(before, Case) and before.next is not None and before.next <= seal.recorded:
            self._say(batch, event.key, seal.recorded, contract)
            before = batch.state(event.key)
        judgement = self.decide(contract, before, admitted)
        decision = judgement.decision
        if decision is None:  # refused, or said before: the state is what it was
            batch.outputs.append(answer(event.party, judgement.verdict, seal.inbox_offset))
            return
        _require_storable(judgement.state)
        logged = [carried_over(record, event, decision.withheld)]
        if isinstance(judgement.state, Erased) and isinstance(before, Case):
            logged = erasures(before)
        batch.take(event.key, [*logged, *_left(admitted, decision)], judgement.state, seal.contract)

    def _say(self, batch: Batch, key: str, now: str, contract: Contract) -> None:
        """Let the bus say all that the time has come for in a case. An erased case is one that it says no more of."""
        held = _held(batch, key)
        while isinstance(case := batch.state(key), Case):
            event = said_by_bus(contract, case, now, held=held)
            if event is None:
                return
            _take(batch, contract, case, Admitted(event, Seal(now, self.salt(), contract.digest)))

    def _carry_out(self, batch: Batch, record: Inbound) -> None:
        """Do what was ordered of a case, after all that the bus has to say of it by then."""
        ordered = orders.unsealed_order(record)
        order, seal = ordered.order, ordered.seal
        contract = self.contracts.named(seal.contract)
        self._say(batch, order.case, seal.recorded, contract)
        reason = _hindrance(batch, order)
        if reason is not None:
            batch.outputs.append(orders.not_carried_out(ordered, reason))
            return
        done = _is_done(batch, order)
        if not done:
            self._do(batch, ordered, contract, record.partition)
        batch.outputs.append(orders.carried_out(ordered, before=done))  # last: what fails on the way was not done

    def _do(self, batch: Batch, ordered: Ordered, contract: Contract, partition: int) -> None:
        order, seal = ordered.order, ordered.seal
        case = batch.state(order.case)
        match order.kind:
            case "erase" if isinstance(case, Case):
                event = erased(contract, case, order.reason or "", seal.recorded)
                _take(batch, contract, case, Admitted(event, seal))
            case "hold":
                batch.take(hold_key(order.case), (), Hold(order.case, seal.recorded), seal.contract)
            case "release":
                batch.take(hold_key(order.case), (), Hold(order.case), seal.contract)
                self._say(batch, order.case, seal.recorded, contract)  # what the hold alone has kept is erased now
            case "sweep":
                batch.outputs += marks(partition, self.contracts.parties)

    def _internal(self, record: Inbound) -> list[Outbound]:
        """Answer the publisher by the seal's own headers: the event itself could not be judged."""
        said = {name: (value or b"").decode("ascii", "replace") for name, value in record.headers}
        party = said.get("ce_source", "").removeprefix(SOURCE_PREFIX)
        if party not in self.contracts.parties:  # not a record of ADMIT's: there is nobody to answer
            return []
        offset = said.get("ce_inboxoffset", "")
        return [answer(party, dead_letters.refusal(record.headers), int(offset) if offset.isdecimal() else None)]


def _held(batch: Batch, case: str) -> bool:
    """Whether a legal hold stands on the case."""
    hold = batch.state(hold_key(case))
    return isinstance(hold, Hold) and hold.since is not None


def _hindrance(batch: Batch, order: Order) -> str | None:
    """Return why an order cannot be carried out: there is no such case (any more), or a hold stands or does not."""
    if order.kind == "sweep":
        return None
    case, held = batch.state(order.case), _held(batch, order.case)
    if order.kind == "release":
        return None if held else orders.NOT_HELD
    if order.kind == "hold" and isinstance(case, Erased):
        return orders.GONE
    if isinstance(case, Case) and not case.exists:
        return orders.UNKNOWN
    return orders.HELD if order.kind == "erase" and held else None


def _is_done(batch: Batch, order: Order) -> bool:
    """Whether it was carried out before: an erased case stays erased, and a hold stands since it was first ordered."""
    if order.kind == "erase":
        return isinstance(batch.state(order.case), Erased)
    return order.kind == "hold" and _held(batch, order.case)


def _take(batch: Batch, contract: Contract, case: Case, admitted: Admitted) -> None:
    """Take what the bus itself says of a case."""
    after, decision = judge.replay(contract, case, admitted)
    batch.take(case.id, [*_recorded(case, admitted, after), *_left(admitted, decision)], after, contract.digest)


def _left(admitted: Admitted, decision: Decision) -> list[Outbound]:
    """Return the views and receipts of an event."""
    return [*map(view_record, decision.views), *receipt_records(admitted.event, decision.written)]


def _recorded(case: Case, admitted: Admitted, after: State) -> list[Outbound]:
    """Return the log record of what the bus said; of an erasure, what takes the case's records away instead."""
    return erasures(case) if isinstance(after, Erased) else [log_record(admitted, ())]


def _require_storable(after: State) -> None:
    """A case that can grow past its limit by what is always taken must fail by itself, not stop its partition."""
    if isinstance(after, Case) and len(after.said) > FULL and len(state.encode(after)) > MOST_STATE:
        raise UnstorableError
