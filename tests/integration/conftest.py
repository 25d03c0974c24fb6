"""What several integration tests start: the HTTP side with its worker and projector, a database of its own, an emptied
broker and a writer on it.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy import clients, database
from producers.inbox import AcknowledgedSender
from tests import http_side
from tests.brokers import RunningKafka, RunningPostgres
from tests.http_side import HttpSide


@pytest.fixture(scope="module")
async def side(
    kafka: RunningKafka, postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HttpSide]:
    folder: Path = tmp_path_factory.mktemp("web")
    with http_side.worker(kafka):
        async with (
            http_side.own_database(postgres) as dsns,
            http_side.projecting(kafka, dsns["projector"]),
            http_side.serving(kafka, dsns, folder) as opened,
        ):
            yield opened


@pytest.fixture(scope="module")
async def emptied(kafka: RunningKafka) -> RunningKafka:
    """The broker, its topics made anew for the tests of one module."""
    await asyncio.to_thread(kafka.reset)
    return kafka


@pytest.fixture
async def write(emptied: RunningKafka) -> AsyncIterator[AcknowledgedSender]:
    """Write a record, as the admin."""
    async with AcknowledgedSender(partial(clients.producer, emptied.access())) as send:
        yield send


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
