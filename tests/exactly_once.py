"""What "exactly once" means to a reader of committed records, checked against a fresh fold of the log.

Nothing is counted by hand: the log is folded anew by the pure functions, and everything else that the bus wrote
must be exactly what follows from it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson
from aiokafka import ConsumerRecord

from schemas import admission, contract_files, judge, outputs, state, topics
from schemas.case import State
from schemas.records import Inbound, Outbound
from tests.brokers import POLICIES, parties
from tests.bus import Bus
from tests.speech import Saying


async def accepted(bus_: Bus, said: Iterable[Saying]) -> list[ConsumerRecord]:
    """What the log holds of these sayings."""
    return _about(await bus_.read(topics.LOG), {saying.id for saying in said}, "ce_id")


async def holds(bus_: Bus, said: Sequence[Saying]) -> None:
    """Each saying is in the log once, each view and receipt that follows from it stands once, the states are those.

    Every saying must be one that is accepted where its case's are judged in the order given.
    """
    log = await accepted(bus_, said)
    ids = {saying.id for saying in said}
    assert Counter(_id(record) for record in log) == Counter(ids)

    expected, states = _follows(log)
    keys = {saying.key for saying in said}
    views = _about(await bus_.read(*map(topics.views, parties())), ids, "ce_causationid")
    ledger = [r for r in await bus_.read(topics.LEDGER) if r.key in keys and _event(r) in ids]
    assert Counter(map(_outbound, views)) == Counter(o for o in expected if "views" in o.topic)
    assert Counter(map(_outbound, ledger)) == Counter(o for o in expected if o.topic == topics.LEDGER)

    kept = {r.key: r.value for r in await bus_.read(topics.CASES)}
    of_cases = {saying.case for saying in said if saying.case}
    assert {c: kept[c.encode()] for c in of_cases} == {c: state.encode(states[c]) for c in of_cases}
    _in_order(said, log)


def _follows(log: list[ConsumerRecord]) -> tuple[list[Outbound], dict[str, State]]:
    """Fold the log anew: what must have been written beside it, and the states it ends in."""
    contracts = contract_files.load_all(POLICIES)
    expected: list[Outbound] = []
    states: dict[str, State] = {}
    for record in log:
        admitted = admission.unseal(_inbound(record))
        key = admitted.event.key
        contract = contracts.named(admitted.seal.contract)
        states[key], decision = judge.replay(contract, states.get(key) or state.empty(key), admitted)
        expected += [outputs.view_record(view) for view in decision.views]
        expected += [outputs.receipt_record(admitted.event, receipt) for receipt in decision.receipts]
    return expected, states


def _in_order(said: Sequence[Saying], log: list[ConsumerRecord]) -> None:
    place = {_id(record): (record.partition, record.offset) for record in log}
    by_case: dict[str, list[tuple[int, int]]] = {}
    for saying in said:
        if saying.case:
            by_case.setdefault(saying.case, []).append(place[saying.id])
    assert all(places == sorted(places) for places in by_case.values())


def _about(records: Iterable[ConsumerRecord], ids: set[str], header: str) -> list[ConsumerRecord]:
    return [record for record in records if dict(record.headers).get(header, b"").decode() in ids]


def _id(record: ConsumerRecord) -> str:
    return str(dict(record.headers)["ce_id"].decode())


def _event(record: ConsumerRecord) -> str:
    return str(orjson.loads(record.value)["event"])


def _inbound(record: ConsumerRecord) -> Inbound:
    return Inbound(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))


def _outbound(record: ConsumerRecord) -> Outbound:
    return Outbound(record.topic, record.partition, record.key, record.value, tuple(record.headers))
