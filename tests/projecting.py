"""Projections at work on a broker and a database: what a test says as COORDINATE does, and the rows that come of it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer, TopicPartition

from consumers.runner import Projection, Runner, started
from deploy import clients
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Outbound
from schemas.views import View, heading_of
from tests.brokers import RunningKafka
from tests.waiting import eventually


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
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended  # none ended by itself


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
