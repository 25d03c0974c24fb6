"""The embedded PostgreSQL answers its admin, refuses everybody else, and keeps its data."""

import asyncpg
import pytest

from deploy.embedded import postgres_programs
from deploy.embedded.postgres import Postgres
from tests.brokers import RunningPostgres


async def test_it_answers_its_admin(postgres: RunningPostgres) -> None:
    connection = await asyncpg.connect(postgres.dsn())
    try:
        version = await connection.fetchval("SHOW server_version_num")
        assert int(version) >= postgres_programs.OLDEST * 10_000
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused(postgres: RunningPostgres) -> None:
    wrong = Postgres(postgres.postgres.home, postgres.postgres.port, {"admin": "wrong"})
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong.dsn())


async def test_a_failing_statement_leaves_no_value_in_the_log(postgres: RunningPostgres) -> None:
    connection = await asyncpg.connect(postgres.dsn())
    try:
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute("SELECT 'hemmeligt'::uuid")
        await connection.execute("CREATE TEMP TABLE one (name text PRIMARY KEY)")
        await connection.execute("INSERT INTO one VALUES ('fortroligt')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO one VALUES ('fortroligt')")
    finally:
        await connection.close()
    log = postgres.postgres.log.read_text()
    assert "ready to accept connections" in log
    assert "fortroligt" not in log
    assert "hemmeligt" not in log
