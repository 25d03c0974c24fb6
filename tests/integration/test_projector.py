"""The projector on real Kafka and PostgreSQL: rows and positions together, and nothing that stops it."""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from consumers.case_states import CaseStates
from consumers.overview import Overview, seen
from consumers.runner import POLL_MS, Projection, Runner, started
from deploy import clients, database
from schemas import topics
from schemas.canonical import canonical
from schemas.case import Case, Chain, Erased, Hold, Said, Shown, hold_key
from schemas.overview import row
from schemas.records import Inbound, Outbound
from schemas.state import encode
from schemas.views import View, heading_of
from tests import wire
from tests.brokers import RunningKafka, RunningPostgres
from tests.waiting import eventually

SINCE = "2026-03-02T11:00:00.000000Z"


@pytest.fixture
async def pool(postgres: RunningPostgres) -> AsyncIterator[asyncpg.Pool]:
    """The projector's own connections to a database of this test's own."""
    name = f"projector_{uuid4().hex}"
    owner = await asyncpg.connect(postgres.dsn())
    await owner.execute(f"CREATE DATABASE {name}")
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    await database.prepare(postgres.dsn("admin", name), passwords)
    opened = await clients.pool(postgres.dsn("projector", name), size=4)
    try:
        yield opened
    finally:
        opened.terminate()
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()


async def say(kafka: RunningKafka, records: Iterable[Outbound], *, commit: bool = True) -> None:
    """Write in one transaction, as COORDINATE does. A writer of its own: topics are made anew between tests."""
    access = kafka.access().aiokafka()
    async with started(AIOKafkaProducer(**access, transactional_id="samspil.test.projector")) as producer:
        await producer.begin_transaction()
        for r in records:
            await (await producer.send(r.topic, r.value, r.key, r.partition, headers=list(r.headers)))
        await (producer.commit_transaction() if commit else producer.abort_transaction())


@asynccontextmanager
async def running(kafka: RunningKafka, pool: asyncpg.Pool, *projections: Projection) -> AsyncIterator[list[Runner]]:
    access = kafka.access("projector")
    made = [Runner(projection, lambda: started(clients.consumer(access)), pool) for projection in projections]
    tasks = [asyncio.create_task(runner.run()) for runner in made]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ends(kafka: RunningKafka, names: Iterable[str]) -> dict[TopicPartition, int]:
    places = [TopicPartition(name, number) for name in names for number in range(topics.partitions(name))]
    async with started(clients.consumer(kafka.access())) as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(places)
    return found


async def positions(pool: asyncpg.Pool, projection: str) -> dict[TopicPartition, int]:
    rows = await pool.fetch("SELECT * FROM readmodel.positions WHERE projection = $1", projection)
    return {TopicPartition(row["topic"], row["partition"]): row["position"] for row in rows}


async def reaches_the_end(kafka: RunningKafka, pool: asyncpg.Pool, projection: Projection) -> None:
    wanted = await ends(kafka, projection.topics)

    async def reached() -> bool:
        return await positions(pool, projection.name) == wanted

    await eventually(reached)


async def states(pool: asyncpg.Pool) -> dict[str, bytes]:
    return {row["case_id"]: row["state"] for row in await pool.fetch("SELECT * FROM readmodel.case_states")}


async def rows(pool: asyncpg.Pool) -> dict[str, dict[str, Any]]:
    found = await pool.fetch("SELECT case_id, body::text FROM readmodel.overview_cases WHERE body IS NOT NULL")
    return {row["case_id"]: orjson.loads(row["body"]) for row in found}


def state_of(case: str, value: bytes | None = b"{}") -> Outbound:
    key = case.encode()
    return Outbound(topics.CASES, topics.partition_of(key), key, value)


def view(case: str, type_: str, at: str = "2026-03-02T11:00:00Z", **fields: Any) -> Outbound:
    id_ = str(uuid4())
    heading = heading_of(f"dk.samspil.{type_}.v1", "urn:samspil:party:sof", case, at, str(uuid4()))
    told = View("ku", id_, heading, canonical({"fields": fields}))
    return Outbound(topics.views("ku"), 0, id_.encode(), told.value, told.headers())


def scenario() -> list[list[Outbound]]:
    return [list(records) for records in wire.outputs(wire.judged(wire.contracts().newest, wire.scenario()))]


@pytest.mark.parametrize("first", Overview.topics)
async def test_the_scenario_becomes_states_and_rows_whatever_arrives_first(
    kafka: RunningKafka, pool: asyncpg.Pool, first: str
) -> None:
    kafka.reset()
    told = [record for records in scenario() for record in records]
    newest = {record.key: record for record in told if record.topic == topics.CASES}
    shown = [record for record in told if record.topic in Overview.topics]
    # Between topics any order, and the same each time; within one COORDINATE's.
    shown.sort(key=lambda record: (record.topic != first, hashlib.sha256(record.topic.encode()).digest()))
    async with running(kafka, pool, CaseStates(), Overview()):
        for start in range(0, len(shown), 100):
            await say(kafka, shown[start : start + 100])
        await reaches_the_end(kafka, pool, CaseStates())
        await reaches_the_end(kafka, pool, Overview())
    assert await states(pool) == {key.decode(): record.value for key, record in newest.items() if key}
    assert await rows(pool) == folded(told)


def folded(told: Iterable[Outbound]) -> dict[str, dict[str, Any]]:
    """What the pure functions make of the records in their true order."""
    newest = {(record.topic, record.key): (place, record) for place, record in enumerate(told)}
    items = defaultdict(list)
    for place, record in newest.values():
        if record.topic in Overview.topics:
            inbound = Inbound(record.topic, record.partition, place, record.key, record.value, record.headers)
            if (one := seen(inbound)) is not None:
                items[one.case].append(one.item)
    rows_ = {case: row(case, found) for case, found in items.items()}
    return {case: found.body() for case, found in rows_.items() if found is not None}


async def test_positions_pass_what_carries_no_record(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    async with running(kafka, pool, CaseStates()):
        await say(kafka, [state_of(case)])
        await reaches_the_end(kafka, pool, CaseStates())
        await say(kafka, [state_of(case, b"never said")], commit=False)
        await reaches_the_end(kafka, pool, CaseStates())
    assert (await states(pool))[case] == b"{}"


async def test_a_lone_record_is_seen_at_once(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    taken = []
    async with running(kafka, pool, CaseStates()):
        await reaches_the_end(kafka, pool, CaseStates())
        for _ in range(10):
            case = str(uuid4())
            await say(kafka, [state_of(case)])
            begun = time.monotonic()
            while case not in await states(pool):  # noqa: ASYNC110 - measures; polls finer than tests.waiting
                await asyncio.sleep(0.002)
            taken.append(time.monotonic() - begun)
    assert sorted(taken)[len(taken) // 2] < POLL_MS / 1000, taken


async def test_a_tombstone_removes_a_state(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    async with running(kafka, pool, CaseStates()):
        await say(kafka, [state_of(case)])
        await eventually(lambda: _has(pool, case))
        await say(kafka, [state_of(case, None)])
        await reaches_the_end(kafka, pool, CaseStates())
    assert case not in await states(pool)


async def test_one_bad_record_stops_nothing(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    good = [str(uuid4()) for _ in range(3)]
    nul = Outbound(topics.CASES, 0, b"a\x00case", b"{}")  # PostgreSQL refuses it
    no_text = Outbound(topics.CASES, 0, b"\xff\xfe", b"{}")  # and this is no UTF-8
    headless = Outbound(topics.views("ku"), 0, b"x", b"{}")
    shown = [view(case, "concern-raised") for case in good]
    await say(kafka, [state_of(good[0]), nul, state_of(good[1]), no_text, state_of(good[2]), headless, *shown])
    async with running(kafka, pool, CaseStates(), Overview()) as runners:
        await reaches_the_end(kafka, pool, CaseStates())
        await reaches_the_end(kafka, pool, Overview())
        assert [runner.skipped for runner in runners] == [2, 1]
    assert set(good) <= set(await states(pool))
    assert set(good) <= set(await rows(pool))


async def test_rows_and_positions_stand_or_fall_together(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    torn = Failing(times=2)
    await say(kafka, [state_of(case)])
    async with running(kafka, pool, torn):
        await reaches_the_end(kafka, pool, torn)
    assert torn.failed == 2
    assert torn.seen_before == [False, False]
    assert case in await states(pool)


class Failing(CaseStates):
    """Writes its rows, and then loses the database a few times."""

    def __init__(self, times: int) -> None:
        self.failed = 0
        self.seen_before: list[bool] = []
        self._times = times

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        if self.failed < self._times:
            self.failed += 1
            before = await connection.fetchval("SELECT count(*) FROM readmodel.case_states")
            self.seen_before.append(bool(before))
            await super().write(connection, records)
            raise ConnectionResetError
        await super().write(connection, records)


async def test_it_goes_on_when_the_database_was_away(
    kafka: RunningKafka, pool: asyncpg.Pool, postgres: RunningPostgres
) -> None:
    case = str(uuid4())
    owner = await asyncpg.connect(postgres.dsn())
    async with running(kafka, pool, CaseStates()):
        await reaches_the_end(kafka, pool, CaseStates())
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'projector'")
        await say(kafka, [state_of(case)])
        await eventually(lambda: _has(pool, case))
    await owner.close()


async def test_two_processes_on_one_projection_write_each_record_once(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    said = {str(uuid4()) for _ in range(30)}
    async with running(kafka, pool, Noting(), Noting()):
        await reaches_the_end(kafka, pool, Noting())
        for case in said:
            await say(kafka, [state_of(case)])
        await reaches_the_end(kafka, pool, Noting())
    noted = await pool.fetch("SELECT case_id FROM readmodel.overview_items")
    assert sorted(row["case_id"] for row in noted if row["case_id"] in said) == sorted(said)


class Noting(CaseStates):
    """Not idempotent: whatever it is given leaves one more row."""

    name = "noting"

    async def write(self, connection: asyncpg.Connection, records: Sequence[Inbound]) -> None:
        for record in records:
            key = (record.key or b"").decode()
            await connection.execute(
                "INSERT INTO readmodel.overview_items VALUES ($1, $2, '', '', now(), 0, '{}', '', '')",
                key,
                str(uuid4()),
            )


async def test_it_goes_on_when_the_broker_was_killed(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    before, after = str(uuid4()), str(uuid4())
    async with running(kafka, pool, CaseStates(), Overview()) as runners:
        await say(kafka, [state_of(before), view(before, "concern-raised")])
        await eventually(lambda: _has(pool, before))
        await asyncio.to_thread(kafka.kill)
        # Until they have noticed: a broker that is back at once breaks fewer requests.
        await eventually(lambda: all(time.monotonic() - runner.alive_at > 3 for runner in runners), timeout=40)
        await asyncio.to_thread(kafka.restart)
        await say(kafka, [state_of(after), view(after, "concern-raised")])
        await eventually(lambda: _has(pool, after), timeout=40)
        await reaches_the_end(kafka, pool, Overview())
        assert all(runner.caught_up for runner in runners)
    assert {before, after} <= set(await rows(pool))


async def test_a_position_below_the_log_start_goes_on_with_what_is_there(
    kafka: RunningKafka, pool: asyncpg.Pool
) -> None:
    lost, kept = view(str(uuid4()), "concern-raised"), view(str(uuid4()), "concern-raised")
    await say(kafka, [lost])
    async with running(kafka, pool, Overview()):
        await reaches_the_end(kafka, pool, Overview())
    place = TopicPartition(topics.views("ku"), 0)
    await say(kafka, [view(str(uuid4()), "concern-raised")])
    end = (await ends(kafka, [place.topic]))[place]
    admin = AIOKafkaAdminClient(**kafka.access().aiokafka())
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=end)})
    await admin.close()
    await say(kafka, [kept])
    async with running(kafka, pool, Overview()):
        await reaches_the_end(kafka, pool, Overview())
    assert _case(kept) in await rows(pool)


async def test_a_topic_made_anew_is_read_from_its_beginning_and_old_states_go(
    kafka: RunningKafka, pool: asyncpg.Pool
) -> None:
    old, new = str(uuid4()), str(uuid4())
    await say(kafka, [state_of(old)])
    async with running(kafka, pool, CaseStates()):
        await reaches_the_end(kafka, pool, CaseStates())
    kafka.reset()
    await say(kafka, [state_of(new)])
    await pool.execute("UPDATE readmodel.positions SET position = position + 1000")
    async with running(kafka, pool, CaseStates()):
        await reaches_the_end(kafka, pool, CaseStates())
    assert set(await states(pool)) == {new}


async def test_tombstones_take_items_away_and_an_erased_case_leaves_nothing(
    kafka: RunningKafka, pool: asyncpg.Pool
) -> None:
    case = str(uuid4())
    told = [view(case, "concern-raised"), view(case, "case-erased", reason="retention")]
    async with running(kafka, pool, Overview()):
        await say(kafka, told[:1])
        await reaches_the_end(kafka, pool, Overview())
        assert (await rows(pool))[case]["stage"] == "new"
        await say(kafka, told[1:])
        await reaches_the_end(kafka, pool, Overview())
        assert case not in await rows(pool)
        items = await pool.fetch("SELECT type FROM readmodel.overview_items WHERE case_id = $1", case)
        assert [item["type"] for item in items] == ["case-erased"]
        await say(kafka, [Outbound(told[1].topic, 0, told[1].key, None)])
        await reaches_the_end(kafka, pool, Overview())
    assert not await pool.fetchval("SELECT count(*) FROM readmodel.overview_items WHERE case_id = $1", case)


def corrected(case: str, shown: Outbound, *acknowledged: str) -> Outbound:
    """The state of a case in which ku and the police were told of a correction."""
    event = dict(shown.headers)["ce_causationid"].decode()
    said = Said("sof", "correction-issued", shown={party: Shown(("correction",)) for party in ("ku", "politi")})
    return state_of(case, encode(Case(case, said={event: said}, acknowledged={event: acknowledged})))


def hold_on(case: str, since: str | None) -> Outbound:
    value = None if since is None else encode(Hold(case, since))
    return Outbound(topics.CASES, topics.partition_of(case.encode()), hold_key(case).encode(), value)


async def test_recalls_follow_the_state_until_all_have_acknowledged(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    told = view(case, "correction-issued", reason="withdrawn")

    async def waiting() -> list[list[str]]:
        await reaches_the_end(kafka, pool, Overview())
        return [recall["waiting"] for recall in (await rows(pool))[case]["recalls"]]

    async with running(kafka, pool, Overview()):
        await say(kafka, [corrected(case, told)])
        await reaches_the_end(kafka, pool, Overview())
        assert not await pool.fetchval("SELECT count(*) FROM readmodel.overview_cases WHERE case_id = $1", case)
        await say(kafka, [view(case, "concern-raised"), told])
        assert await waiting() == [["ku", "politi"]]
        await say(kafka, [corrected(case, told, "politi")])
        assert await waiting() == [["ku"]]
        await say(kafka, [corrected(case, told, "politi", "ku")])
        assert await waiting() == []
        await say(kafka, [corrected(case, told)])
        await say(kafka, [state_of(case, encode(Erased(SINCE, case, "e", "retention", ("ku",), "00", Chain())))])
        assert await waiting() == []
    types = await pool.fetch("SELECT type FROM readmodel.overview_items WHERE case_id = $1 ORDER BY type", case)
    assert [row["type"] for row in types] == ["concern-raised", "correction-issued"]


async def test_a_hold_is_shown_until_it_is_released_and_only_on_a_case_that_ku_knows(
    kafka: RunningKafka, pool: asyncpg.Pool
) -> None:
    case, unknown = str(uuid4()), str(uuid4())
    async with running(kafka, pool, Overview()):
        await say(kafka, [hold_on(case, SINCE), hold_on(unknown, SINCE)])
        await reaches_the_end(kafka, pool, Overview())
        await say(kafka, [view(case, "concern-raised")])
        await reaches_the_end(kafka, pool, Overview())
        assert (await rows(pool))[case]["hold"] == "2026-03-02T11:00:00Z"
        await say(kafka, [hold_on(case, None)])
        await reaches_the_end(kafka, pool, Overview())
        assert (await rows(pool))[case]["hold"] is None
    assert not await pool.fetchval("SELECT count(*) FROM readmodel.overview_cases WHERE case_id = $1", unknown)


async def test_of_an_erased_case_no_state_and_no_hold_is_kept(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    told = view(case, "correction-issued", reason="withdrawn")
    async with running(kafka, pool, Overview()):
        await say(kafka, [told, view(case, "case-erased", reason="retention")])
        await reaches_the_end(kafka, pool, Overview())
        await say(kafka, [corrected(case, told), hold_on(case, SINCE)])
        await reaches_the_end(kafka, pool, Overview())
    types = await pool.fetch("SELECT type FROM readmodel.overview_items WHERE case_id = $1", case)
    assert [row["type"] for row in types] == ["case-erased"]


async def test_nothing_of_class_2_or_above_reaches_the_read_model(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    told = [record for records in scenario() for record in records]
    await say(kafka, [record for record in told if record.topic in Overview.topics])
    async with running(kafka, pool, Overview()):
        await reaches_the_end(kafka, pool, Overview())
    dump = await pool.fetch("SELECT fields::text AS text FROM readmodel.overview_items")
    assert dump
    assert not any("vault:" in row["text"] for row in dump)


async def _has(pool: asyncpg.Pool, case: str) -> bool:
    return case in await states(pool)


def _case(record: Outbound) -> str:
    return dict(record.headers)["ce_subject"].decode()
