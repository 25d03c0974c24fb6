"""The drill of deploy/docs/backup.md: an old dump comes back, and what was erased since cannot be had of it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg

from deploy import web
from deploy.embedded import postgres_programs
from tests import http_side, speech
from tests.brokers import RunningKafka, RunningPostgres
from tests.http_side import HttpSide
from tests.waiting import eventually

AFTER_RESTORE = Path(web.__file__).parent / "sql" / "after_restore.sql"
PERSON = {"name": "Testperson B"}


async def program(name: str, dsn: str, *arguments: str, given: bytes | None = None) -> bytes:
    """Run one of PostgreSQL's own programs on a database, as its owner."""
    place = urlsplit(dsn)
    environment = {**os.environ, "PGPASSWORD": place.password or "", "PGUSER": place.username or ""}
    environment |= {"PGHOST": place.hostname or "", "PGPORT": str(place.port), "PGDATABASE": place.path[1:]}
    process = await asyncio.create_subprocess_exec(
        str(postgres_programs.find().folder / name),
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(given)
    assert process.returncode == 0
    return said


@asynccontextmanager
async def restored(postgres: RunningPostgres, dsns: dict[str, str], dump: bytes) -> AsyncIterator[dict[str, str]]:
    """A new database made of a dump alone."""
    name = f"restored_{uuid4().hex}"
    owner = await asyncpg.connect(postgres.dsn())
    await owner.execute(f"CREATE DATABASE {name}")
    again = {role: dsn.rpartition("/")[0] + "/" + name for role, dsn in dsns.items()}
    try:
        await program("pg_restore", again["admin"], "--exit-on-error", f"--dbname={name}", given=dump)
        yield again
    finally:
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()


async def kept(dsns: dict[str, str], case: str | None) -> tuple[int, int]:
    """How many values of a case there are, and keys."""
    owner = await asyncpg.connect(dsns["admin"])
    counts = [
        int(await owner.fetchval(f'SELECT count(*) FROM vault.{table} WHERE "case" = $1', case))  # noqa: S608
        for table in ("deposits", "case_keys")
    ]
    await owner.close()
    return counts[0], counts[1]


async def verdict_on(dsns: dict[str, str], event: str) -> bool:
    owner = await asyncpg.connect(dsns["admin"])
    found = await owner.fetchval("SELECT count(*) FROM gateway.verdicts WHERE id = $1", UUID(event))
    await owner.close()
    return bool(found)


async def erased(side: HttpSide, case: str | None) -> None:
    asked = speech.say("buf", "rights-request-received", case, article="17", received_on="2026-03-02")
    await http_side.tell(side, asked)
    await http_side.tell(side, speech.say("buf", "rights-request-answered", case, request=asked.id))

    async def gone() -> bool:
        return await kept(side.dsns, case) == (0, 0)

    await eventually(gone)


async def a_case(side: HttpSide) -> speech.Saying:
    concern = speech.concern("buf", str(uuid4()))
    await http_side.tell(side, concern, person=PERSON)
    own = {"outcome": "own_administration", "owner": "buf", "grounds": speech.vault_ref()}
    await http_side.tell(side, speech.say("ku", "concern-screened", concern.case, None, **own))
    return concern


async def test_nothing_erased_since_a_dump_can_be_had_of_it(
    side: HttpSide, kafka: RunningKafka, postgres: RunningPostgres
) -> None:
    gone, standing = await a_case(side), speech.concern("buf", str(uuid4()))
    await http_side.tell(side, standing)
    dump = await program("pg_dump", side.dsns["admin"], "--format=custom")
    await erased(side, gone.case)
    async with (
        restored(postgres, side.dsns, dump) as dsns,
        http_side.serving(kafka, dsns, side.issuer.parent, web.Waits(vault=0.3)) as again,
    ):
        assert await kept(dsns, gone.case) == (3, 1)  # it is all there again
        assert await verdict_on(dsns, gone.id)
        buf = again.party("buf")
        of_gone, of_standing = (f"/vault/{said.data['person'].removeprefix('vault:')}" for said in (gone, standing))
        assert (await buf.get(of_gone)).status_code == 503

        async def reads(ref: str, status: int) -> bool:
            return (await buf.get(ref)).status_code == status

        async with http_side.projecting(kafka, dsns["projector"]):
            await eventually(lambda: reads(of_gone, 403))
            assert await kept(dsns, gone.case) == (0, 0)
            place = {"case": gone.case or "", "field": "person"}
            assert (await buf.put(of_gone, json=PERSON, params=place)).status_code == 410
        await program("psql", dsns["admin"], "--quiet", "--set=ON_ERROR_STOP=1", f"--file={AFTER_RESTORE}")
        assert (await buf.get(of_standing)).status_code == 503
        async with http_side.projecting(kafka, dsns["projector"]):
            await eventually(lambda: reads(of_standing, 200))
            await eventually(lambda: verdict_on(dsns, standing.id))
        assert not await verdict_on(dsns, gone.id)
        assert await kept(dsns, gone.case) == (0, 0)
