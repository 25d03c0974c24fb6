"""How long the policy lets things stay, each line on the real broker: not an instant earlier, and then all at once.

One worker on the clock of events. Its cases began at different times, so that their terms end at one midnight: at the
last moment before it something else is due of each, which shows that the bus looked and let the case be.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord
from confluent_kafka.admin import ConfigResource, ResourceType

from schemas import contract_files, state, topics
from schemas.case import Case, Erased, State
from schemas.orders import Order
from tests.brokers import POLICIES, RunningKafka, parties
from tests.bus import Bus, bus
from tests.speech import Saying, activity, concern, say, vault_ref
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

REJECTED, CLOSED, IDLE, HELD = "rejected_concern", "closed_case", "idle_case", "a held case"
REASONS = {REJECTED: "rejected_concern", CLOSED: "retention", IDLE: "retention"}
BEFORE, MIDNIGHT = "2028-03-02T22:59:59Z", "2028-03-02T23:00:00Z"  # of 3 March in the city
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Times:
    """The cases by what becomes of them, and what stood of each before midnight and after."""

    cases: Mapping[str, str]
    before: Mapping[str, State]
    looked: Mapping[str, frozenset[str]]  # when the bus said something of each, before midnight
    after: Mapping[str, State]
    bus: Bus


@pytest.fixture(scope="module")
async def times(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Times]:
    kafka.reset()
    worker = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path_factory.mktemp("worker"), clock="events")
    worker.start()
    try:
        await worker.ready()
        async with bus(kafka) as bus_:
            yield await _lived(bus_)
    finally:
        worker.kill()


async def _lived(bus_: Bus) -> Times:
    cases = {name: str(uuid4()) for name in (REJECTED, CLOSED, IDLE, HELD)}
    said = list(_said(cases))
    await bus_.say(said)
    await eventually(partial(_all_logged, bus_, said))
    held = await bus_.order(Order(str(uuid4()), "hold", cases[HELD]))
    assert held["verdict"] == "accepted"
    await bus_.say([replace(activity("kff"), time=BEFORE)])
    looked = await eventually(partial(_looked_at, bus_, cases, BEFORE))
    before = await _states(bus_, cases)
    await bus_.say([replace(activity("kff"), time=MIDNIGHT)])
    await eventually(partial(_looked_at, bus_, {HELD: cases[HELD]}, MIDNIGHT))
    await eventually(partial(_erased, bus_, {name: cases[name] for name in REASONS}))
    return Times(cases, before, looked, await _states(bus_, cases), bus_)


def _said(cases: Mapping[str, str]) -> Iterator[Saying]:
    """Begin each case so long before that its term ends at midnight. What is due before then is due at the last."""
    yield from _opened(cases[IDLE], "2026-03-02T12:00:00Z")
    yield say("sof", "follow-up-held", cases[IDLE], "2026-03-02T12:00:00Z", progress="better", next_due="2028-03-01")
    yield from _opened(cases[HELD], "2026-03-02T12:00:00Z")
    yield say("sof", "follow-up-held", cases[HELD], "2026-03-02T12:00:00Z", progress="better", next_due="2028-03-01")
    yield say("sof", "transfer-initiated", cases[HELD], "2026-03-02T12:00:00Z", **_transfer("2028-03-02"))
    yield from _opened(cases[CLOSED], "2027-09-02T12:00:00Z")
    yield say("sof", "case-closed", cases[CLOSED], "2027-09-02T12:00:00Z", outcome="resolved")
    yield from _opened(cases[REJECTED], "2028-02-01T12:00:00Z", outcome="close")
    for name in (CLOSED, REJECTED):
        asked = {"article": "15", "received_on": "2028-02-01"}
        yield say("sof", "rights-request-received", cases[name], "2028-02-01T12:00:00Z", **asked)


def _opened(case: str, time: str, outcome: str = "own_administration") -> Iterator[Saying]:
    yield replace(concern("sof", case, observed_on="2026-03-01"), time=time)
    yield say("sof", "concern-screened", case, time, outcome=outcome, owner="sof", grounds=vault_ref())


def _transfer(due: str) -> dict[str, str]:
    return {"transfer": str(uuid4()), "to": "buf", "kind": "release", "due": due, "dossier": vault_ref()}


async def _states(bus_: Bus, cases: Mapping[str, str]) -> dict[str, State]:
    newest = {record.key: record.value for record in await bus_.read(topics.CASES)}
    return {name: state.decode(newest[case.encode()] or b"") for name, case in cases.items()}


def _of(record: ConsumerRecord, name: str) -> str:
    return str(dict(record.headers).get(name, b"").decode())


async def _all_logged(bus_: Bus, said: list[Saying]) -> bool:
    return {saying.id for saying in said} <= {_of(record, "ce_id") for record in await bus_.read(topics.LOG)}


async def _looked_at(bus_: Bus, cases: Mapping[str, str], time: str) -> dict[str, frozenset[str]] | None:
    """Give when something was said to be late in each case, once something was at that time in all of them."""
    found: dict[str, set[str]] = {name: set() for name in cases}
    for record in await bus_.read(topics.LOG):
        for name, case in cases.items():
            if _of(record, "ce_subject") == case and _of(record, "ce_type") == "dk.samspil.deadline-passed.v1":
                found[name].add(_of(record, "ce_recordedtime"))
    at = time.replace("Z", ".000000Z")
    return {name: frozenset(looks) for name, looks in found.items()} if all(at in f for f in found.values()) else None


async def _erased(bus_: Bus, cases: Mapping[str, str]) -> bool:
    return all(isinstance(found, Erased) for found in (await _states(bus_, cases)).values())


@pytest.mark.parametrize("line", [*REASONS, HELD])
def test_a_case_stays_to_the_last_moment(times: Times, line: str) -> None:
    assert isinstance(times.before[line], Case)
    assert BEFORE.replace("Z", ".000000Z") in times.looked[line]


@pytest.mark.parametrize("line", REASONS)
async def test_then_all_of_it_is_gone_but_its_stub(times: Times, line: str) -> None:
    case, stub = times.cases[line], times.after[line]
    assert isinstance(stub, Erased)
    assert (stub.reason, stub.recipients) == (REASONS[line], ("ku", "sof"))
    logged = {r.key: r.value for r in await times.bus.read(topics.LOG) if f"/{case}/".encode() in (r.key or b"")}
    assert len(logged) >= 3
    assert set(logged.values()) == {None}


@pytest.mark.parametrize("line", REASONS)
async def test_who_held_something_of_it_is_told_so_and_has_nothing_else(times: Times, line: str) -> None:
    """The officer, who got views and no copy to keep, has none left and needs not be told."""
    views = await times.bus.read(*map(topics.views, parties()))
    mine = {(r.topic, r.key) for r in views if r.value and _of(r, "ce_subject") == times.cases[line]}
    newest = {(r.topic, r.key): r for r in views if (r.topic, r.key) in mine}
    left = [record for record in newest.values() if record.value is not None]
    assert {record.topic for record in left} == {topics.views("ku"), topics.views("sof")}
    assert len(left) == 2 < len(newest)
    for record in left:
        assert _of(record, "ce_type") == "dk.samspil.case-erased.v1"
        assert orjson.loads(record.value)["fields"] == {"reason": REASONS[line]}


async def test_a_hold_stops_it_until_it_is_released(times: Times) -> None:
    held = times.after[HELD]
    assert isinstance(held, Case)
    assert held.next is not None
    assert held.next <= MIDNIGHT
    released = await times.bus.order(Order(str(uuid4()), "release", times.cases[HELD]))
    assert released["verdict"] == "accepted"
    await eventually(partial(_erased, times.bus, {HELD: times.cases[HELD]}))


@pytest.mark.usefixtures("times")
async def test_an_inbox_is_cut_once_its_events_are_admitted(times: Times) -> None:
    for party in ("sof", "kff", "dpo"):
        await eventually(partial(_is_cut, times.bus, party))


async def _is_cut(bus_: Bus, party: str) -> bool:
    begin, end = await bus_.bounds(topics.inbox(party))
    return begin == end > 0


@pytest.mark.parametrize(
    ("line", "keep", "policy", "names"),
    [
        ("views", "14 days", "compact,delete", [topics.views(party) for party in parties()]),
        ("inbox", "7 days", "delete", [topics.inbox(party) for party in parties()]),
        ("ledger", "5 years", "delete", [topics.LEDGER]),
    ],
)
async def test_the_broker_keeps_a_topic_as_long_as_the_policy_says(
    kafka: RunningKafka, line: str, keep: str, policy: str, names: list[str]
) -> None:
    assert contract_files.load_all(POLICIES).newest.kept[line].keep == keep
    number, unit = keep.split()
    days = int(number) if unit == "days" else int(number) * 365 + 2  # five years have one leap day or two
    for settings in (await asyncio.to_thread(_settings, kafka, names)).values():
        assert settings["retention.ms"] == str(days * DAY_MS)
        assert settings["cleanup.policy"] == policy
        assert settings["message.timestamp.type"] == "LogAppendTime"  # nobody's own timestamp ages a record
        assert int(settings["segment.ms"]) <= days * DAY_MS  # else a closed file is what it waits for


def _settings(kafka: RunningKafka, names: list[str]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    admin = kafka.access().admin()
    found = {resource.name: future.result() for resource, future in admin.describe_configs(asked).items()}
    return {name: {key: str(entry.value) for key, entry in entries.items()} for name, entries in found.items()}
