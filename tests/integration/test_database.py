"""The database's shape and rights: applied once, in order, and no service may more than its work."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy import database
from schemas.errors import MisconfiguredError, UnreachableError
from tests import http_side
from tests.brokers import RunningPostgres

Dsns = dict[str, str]


@pytest.fixture
async def dsns(postgres: RunningPostgres) -> AsyncIterator[Dsns]:
    async with http_side.own_database(postgres) as opened:
        yield opened


async def test_migrations_are_applied_once_however_many_start(dsns: Dsns, postgres: RunningPostgres) -> None:
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    await asyncio.gather(*(database.prepare(dsns["admin"], passwords) for _ in range(3)))
    owner = await asyncpg.connect(dsns["admin"])
    names = [row["name"] for row in await owner.fetch("SELECT name FROM public.migrations ORDER BY applied_at, name")]
    await owner.close()
    assert sorted(names) == sorted(migration.name for migration in database.migrations())


def test_migrations_are_in_the_order_of_their_numbers() -> None:
    numbers = [int(migration.name.partition("/")[2][:4]) for migration in database.migrations()]
    assert numbers == sorted(numbers)


async def test_a_changed_migration_is_refused_whole(dsns: Dsns, postgres: RunningPostgres) -> None:
    owner = await asyncpg.connect(dsns["admin"])
    await owner.execute("UPDATE public.migrations SET digest = 'another' WHERE name = 'consumers/0001_vault.sql'")
    await owner.close()
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    with pytest.raises(MisconfiguredError, match="0001_vault"):
        await database.prepare(dsns["admin"], passwords)


async def test_a_password_is_quoted_whatever_it_holds(dsns: Dsns, postgres: RunningPostgres) -> None:
    odd = "a'b\"c\\d;--"
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    await database.prepare(dsns["admin"], {**passwords, "overview": odd})
    place = dsns["admin"].rpartition("@")[2]
    host, port = place.partition("/")[0].split(":")
    name = place.partition("/")[2]
    opened = await asyncpg.connect(host=host, port=int(port), user="overview", password=odd, database=name)
    await opened.close()
    await database.prepare(dsns["admin"], passwords)


async def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        await database.prepare(f"postgresql://admin:x@/samspil?host={tmp_path}", {})


FORBIDDEN = [
    ("gateway", "SELECT sealed FROM vault.deposits"),
    ("gateway", "SELECT * FROM vault.deposits"),
    ("gateway", "DELETE FROM vault.deposits"),
    ("gateway", "INSERT INTO gateway.verdicts (party, id, verdict) VALUES ('ku', gen_random_uuid(), '{}')"),
    ("gateway", "SELECT * FROM readmodel.case_states"),
    ("gateway", "SELECT * FROM readmodel.overview_cases"),
    ("vault", "SELECT * FROM gateway.verdicts"),
    ("vault", "UPDATE vault.deposits SET party = 'ku'"),
    ("vault", "UPDATE vault.case_keys SET \"case\" = 'b'"),
    ("gateway", "SELECT * FROM vault.case_keys"),
    ("vault", "INSERT INTO readmodel.case_states VALUES ('a', 0, '')"),
    ("projector", "SELECT sealed FROM vault.deposits"),
    ("projector", "UPDATE vault.deposits SET deposited_at = now()"),
    ("projector", "SELECT wrapped FROM vault.case_keys"),
    ("projector", "CREATE TABLE public.more (id int)"),
    ("overview", "SELECT * FROM readmodel.case_states"),
    ("overview", "SELECT * FROM gateway.verdicts"),
    ("overview", "SELECT ref FROM vault.deposits"),
    ("overview", "SELECT * FROM vault.case_keys"),
    ("overview", "DELETE FROM readmodel.overview_cases"),
    ("overview", "CREATE SCHEMA more"),
    ("projector", "DELETE FROM statistics.counts"),
    ("statistics", "SELECT * FROM statistics.remembered"),
    ("statistics", "UPDATE statistics.counts SET number = 0"),
    ("statistics", "SELECT * FROM readmodel.case_states"),
]
ALLOWED = [
    ("gateway", 'SELECT ref, party, "case", field FROM vault.deposits'),
    ("gateway", "SELECT * FROM gateway.verdicts"),
    ("gateway", "SELECT * FROM readmodel.positions"),
    ("vault", "SELECT * FROM vault.deposits"),
    ("vault", "SELECT state FROM readmodel.case_states"),
    ("projector", "DELETE FROM gateway.verdicts"),
    ("overview", "SELECT * FROM readmodel.overview_cases"),
    ("projector", "DELETE FROM statistics.remembered"),
    ("statistics", "SELECT * FROM statistics.counts"),
]


async def test_no_role_may_more_than_its_work(dsns: Dsns) -> None:
    for role, statement in FORBIDDEN:
        connection = await asyncpg.connect(dsns[role])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.close()


async def test_each_role_may_do_its_work(dsns: Dsns) -> None:
    for role, statement in ALLOWED:
        connection = await asyncpg.connect(dsns[role])
        await connection.execute(statement)
        await connection.close()


async def test_a_deposit_cannot_be_changed_even_by_the_vault(dsns: Dsns) -> None:
    vault = await asyncpg.connect(dsns["vault"])
    columns = 'ref, party, "case", field, content_type, nonce, sealed'
    insert = f"INSERT INTO vault.deposits ({columns}) VALUES ($1, 'buf', 'c', 'person', 'j', '', '')"  # noqa: S608
    await vault.execute(insert, uuid4())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await vault.execute("UPDATE vault.deposits SET field = 'signs'")
    await vault.close()


# What is counted, and where something is read up to: of these the planner may keep samples, which outlive their rows.
SAMPLED = {
    "readmodel.positions": {"projection", "topic"},
    "statistics.counts": {"population", "key"},
    "statistics.waits": {"stretch"},
    "statistics.counted": {"newest", "again"},
}


async def test_the_planner_keeps_no_sample_of_what_tells_of_a_case(dsns: Dsns) -> None:
    """A sample of a column outlives its rows, and whoever may read the column sees it."""
    owner = await asyncpg.connect(dsns["admin"])
    try:
        columns = await owner.fetch(
            "SELECT attrelid::regclass::text AS place, attname AS name, attstattarget AS target"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind = 'r' AND relnamespace = ANY ("
            "  SELECT oid FROM pg_namespace WHERE nspname IN ('vault', 'readmodel', 'gateway', 'statistics'))"
            " AND attnum > 0 AND NOT attisdropped"
            " AND atttypid IN ('text'::regtype, 'uuid'::regtype, 'bytea'::regtype, 'jsonb'::regtype)"
        )
        sampled = {(row["place"], row["name"]) for row in columns if row["target"] != 0}
        assert sampled == {(place, name) for place, names in SAMPLED.items() for name in names}
        await owner.execute(
            "INSERT INTO vault.case_keys SELECT 'case ' || n, 'key', 'wrapped' FROM generate_series(1, 100) AS n"
        )
        await owner.execute("ANALYZE")
        assert not await owner.fetch("SELECT FROM pg_stats WHERE schemaname IN ('vault', 'gateway')")
    finally:
        await owner.close()
