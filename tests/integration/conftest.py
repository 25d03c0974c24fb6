"""What several integration tests start: the HTTP side with its worker and projector, a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy import clients, database
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
