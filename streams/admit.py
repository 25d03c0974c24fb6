"""ADMIT: is this record an event at all, said by the party whose inbox it stands in? Stateless.

What is admitted is rebuilt from its checked parts and sealed: the bus's time, a salt, the contract in
force, its place in the inbox. Everything else gets its reason, on the publisher's refusals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

from schemas import admission, orders, topics
from schemas.canonical import canonical
from schemas.clock_times import rfc3339
from schemas.contract import Contracts
from schemas.envelope import Admitted, Event, Seal, sealed_headers
from schemas.errors import MalformedError, UnknownContractError
from schemas.records import Inbound, Outbound
from schemas.verdicts import Refusal, answer
from streams import dead_letters
from streams.batch import Batch
from streams.sweep import is_sweep

_NO_CLOCK = datetime(9000, 1, 1, tzinfo=UTC)  # later than any event: asks for the form alone


class Clock(Protocol):
    """The bus's clock. One that `follows` events is told their times first (demonstrations, tests)."""

    @property
    def follows(self) -> bool:
        """Whether the times of events move it."""

    def now(self) -> datetime:
        """Return the bus's time."""

    def observe(self, time: datetime) -> None:
        """Take note of the time of an event."""

    def settled(self) -> datetime:
        """Return a time up to which all that was ever stamped stands on the admitted topic, or never will."""


@dataclass(frozen=True, slots=True)
class Admit:
    """The step. Clock and salts are handed in; `admit` is an argument so that a test can make it fail."""

    contracts: Contracts
    clock: Clock
    salt: Callable[[], str]
    admit: Callable[..., Event | Refusal] = admission.admit

    name: ClassVar[str] = "admit"
    remembers: ClassVar[bool] = False

    def judge(self, batch: Batch, record: Inbound) -> None:
        """Admit a record or refuse it."""
        if is_sweep(record):
            return
        try:
            batch.outputs.append(self._judge(record))
        except UnknownContractError:
            raise  # not the record's fault but ours: end, before a good event is refused
        except Exception as error:  # noqa: BLE001 - one bad record stops nothing: answered and dead-lettered
            batch.dead.append(dead_letters.dead(self.name, record, error))
            refusal = dead_letters.refusal(record.headers)
            party = topics.party_of(record.topic)
            batch.outputs += [answer(party, refusal, record.offset), dead_letters.letter(batch.dead[-1])]

    def _judge(self, record: Inbound) -> Outbound:
        party = topics.party_of(record.topic)
        if party == orders.ORDERER and orders.is_order(record.headers):
            return self._order(record)
        self._follow(party, record)
        now = self.clock.now()
        contract = self.contracts.at(now)
        # a clock that follows the events is never behind one, not even behind one that is refused
        latest = _NO_CLOCK if self.clock.follows else now
        verdict = self.admit(contract, party, record.headers, record.value, latest)
        if isinstance(verdict, Refusal):
            return answer(party, verdict, record.offset)
        seal = Seal(rfc3339(now), self.salt(), contract.digest, record.offset)
        return admitted_record(Admitted(verdict, seal))

    def _order(self, record: Inbound) -> Outbound:
        now = self.clock.now()
        try:
            order = orders.order_in(record.value)
        except MalformedError:
            return answer(orders.ORDERER, Refusal(None, "bad_envelope", ("",)), record.offset)
        seal = Seal(rfc3339(now), self.salt(), self.contracts.at(now).digest, record.offset)
        return orders.sealed_order(orders.Ordered(order, seal))

    def _follow(self, party: str, record: Inbound) -> None:
        if not self.clock.follows:
            return
        form = self.admit(self.contracts.at(self.clock.now()), party, record.headers, record.value, _NO_CLOCK)
        if isinstance(form, Event):
            self.clock.observe(datetime.fromisoformat(form.time))


def admitted_record(admitted: Admitted) -> Outbound:
    """Return an admitted event as it stands on the admitted topic, beside the others of its case."""
    event = admitted.event
    key = event.key.encode()
    return Outbound(topics.ADMITTED, topics.partition_of(key), key, canonical(event.fields), sealed_headers(admitted))
