"""The projector's runner on real Kafka and PostgreSQL: rows and positions together, and nothing that stops it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from consumers.case_states import CaseStates
from consumers.overview import Overview
from consumers.runner import POLL_MS
from schemas import topics
from schemas.records import Inbound, Outbound
from tests.brokers import RunningKafka, RunningPostgres
from tests.projecting import ends, reaches_the_end, rows, running, say, state_of, states, view
from tests.waiting import eventually


async def test_positions_pass_what_carries_no_record(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    case = str(uuid4())
    async with running(kafka, pool, CaseStates()):
        await say(kafka, [state_of(case)])
        await reaches_the_end(kafka, pool, CaseStates())
        await say(kafka, [state_of(case, b"never said")], commit=False)
        await reaches_the_end(kafka, pool, CaseStates())
    assert (await states(pool))[case] == b"{}"


async def test_who_waits_for_states_hears_of_each_once_it_can_be_seen(kafka: RunningKafka, pool: asyncpg.Pool) -> None:
    kept, case = CaseStates(), str(uuid4())
    async with running(kafka, pool, kept):
        await reaches_the_end(kafka, pool, CaseStates())
        news = kept.kept.next()
        await say(kafka, [state_of(case)])
        async with asyncio.timeout(10.0):
            while not await _has(pool, case):
                await asyncio.wait([news])
                news = kept.kept.next()


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
        super().__init__()
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


async def _has(pool: asyncpg.Pool, case: str) -> bool:
    return case in await states(pool)


def _case(record: Outbound) -> str:
    return dict(record.headers)["ce_subject"].decode()
