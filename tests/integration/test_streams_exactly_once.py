"""What was acknowledged is judged once and each view is seen once, through kill -9 under load.

The expectation is not counted by hand: the log is folded anew by the pure functions, and everything else
that the bus wrote must be exactly what follows from it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
from aiokafka import ConsumerRecord

from schemas import admission, contract_files, judge, outputs, state, topics
from schemas.case import State
from schemas.records import Inbound, Outbound
from tests.brokers import POLICIES, RunningKafka, parties
from tests.bus import Bus, bus
from tests.speech import Saying, activity, lonely_life
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

SPEAKERS = ("sof", "buf", "vink", "ku")
CASES_EACH = 14
KILLS = 3


def _sayings() -> dict[str, list[Saying]]:
    """What each party says: its cases interleaved, and some of it outside any case."""
    said: dict[str, list[Saying]] = {}
    for party in SPEAKERS:
        lives = [list(lonely_life(party, str(uuid4()))) for _ in range(CASES_EACH)]
        rounds = max(map(len, lives))
        said[party] = [life[n] for n in range(rounds) for life in lives if n < len(life)] + [activity(party)]
    return said


async def _speak(bus_: Bus, sayings: list[Saying]) -> None:
    for start in range(0, len(sayings), 7):
        await bus_.say(sayings[start : start + 7])
        await asyncio.sleep(0.2)  # load that lasts through the kills, not a wait for anything


def _inbound(record: ConsumerRecord) -> Inbound:
    return Inbound(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))


def _outbound(record: ConsumerRecord) -> Outbound:
    return Outbound(record.topic, record.partition, record.key, record.value, tuple(record.headers))


def _ours(records: Iterable[ConsumerRecord], ids: set[str], header: str) -> list[ConsumerRecord]:
    return [record for record in records if dict(record.headers).get(header, b"").decode() in ids]


async def test_every_event_is_judged_once_through_kills(kafka: RunningKafka, tmp_path: Path) -> None:
    kafka.reset()  # other tests write what no worker wrote
    said = _sayings()
    everything = [saying for sayings in said.values() for saying in sayings]
    ids = {saying.id for saying in everything}
    worker = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path)
    async with bus(kafka) as bus_:

        async def accepted() -> list[ConsumerRecord]:
            return _ours(await bus_.read(topics.LOG), ids, "ce_id")

        worker.start()
        try:
            await worker.ready()
            speaking = asyncio.gather(*(_speak(bus_, sayings) for sayings in said.values()))
            for n in range(KILLS):
                await eventually(partial(_more, accepted, (n + 1) * len(ids) // (KILLS + 2)), timeout=60)
                worker.kill()
                worker.start()
            await speaking
            await eventually(partial(_more, accepted, len(ids)), timeout=60)
        finally:
            worker.kill()
        log = await accepted()
        await _holds(bus_, everything, log)


async def _more(accepted: Callable[[], Awaitable[list[ConsumerRecord]]], count: int) -> bool:
    return len(await accepted()) >= count


async def _holds(bus_: Bus, said: list[Saying], log: list[ConsumerRecord]) -> None:
    ids = {saying.id for saying in said}
    assert Counter(dict(r.headers)["ce_id"].decode() for r in log) == Counter(ids)

    expected, states = _follows(log)
    keys = {saying.key for saying in said}
    views = _ours(await bus_.read(*map(topics.views, parties())), ids, "ce_causationid")
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


def _event(record: ConsumerRecord) -> str:
    return str(orjson.loads(record.value)["event"])


def _in_order(said: list[Saying], log: list[ConsumerRecord]) -> None:
    place = {dict(r.headers)["ce_id"].decode(): (r.partition, r.offset) for r in log}
    for case in {saying.case for saying in said if saying.case}:
        places = [place[saying.id] for saying in said if saying.case == case]
        assert places == sorted(places)
