"""The overview's rows on real Kafka and PostgreSQL: what ku is shown of a case, and what it is not shown any more."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from consumers.case_states import CaseStates
from consumers.overview import Overview, seen
from schemas import topics
from schemas.case import Case, Chain, Erased, Hold, Said, hold_key
from schemas.overview import row
from schemas.records import Inbound, Outbound
from schemas.shown import Shown, written
from schemas.state import encode
from tests import wire
from tests.brokers import RunningKafka
from tests.projecting import reaches_the_end, rows, running, say, state_of, states, view

SINCE = "2026-03-02T11:00:00.000000Z"


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
    told = written({party: Shown(("correction",)) for party in ("ku", "politi")})
    said = Said("sof", "correction-issued", shown_raw=told)
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
