"""The whole way of an event for tests of the HTTP side: worker, projector and web on real Kafka and PostgreSQL.

The worker is a process of its own, as in production; projector and web run in the test's loop, so that a test
can stop the one and look into the other. Requests go through the ASGI application without a socket.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from aiokafka import TopicPartition
from starlette.types import ASGIApp

from deploy import clients, database, projector, tokens, web
from schemas import contract_files
from schemas.attributes import STRUCTURED
from schemas.contract import Contracts
from schemas.envelope import source_of
from schemas.identity import Role
from schemas.records import Inbound
from tests.brokers import POLICIES, RunningKafka, RunningPostgres
from tests.speech import Saying
from tests.waiting import eventually_sync

BASE = "http://samspil.test"
_WORKER = """
import asyncio, json, pathlib, sys
from deploy import worker
from deploy.clock import WallClock
from schemas import contract_files
connection, policies, ready = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
contracts = contract_files.load_all(policies)
asyncio.run(worker.serve(connection, contracts, worker.steps(contracts, WallClock()), ready))
"""


@contextmanager
def worker(kafka: RunningKafka, log: Path | None = None) -> Iterator[None]:
    """ADMIT and COORDINATE at work on empty topics, what they print going into a file."""
    kafka.reset()  # other tests write what no worker wrote
    with (log or Path(os.devnull)).open("wb") as out, tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "worker.ready"
        access = json.dumps(kafka.access("worker").aiokafka())
        program = [sys.executable, "-c", _WORKER, access, str(POLICIES), str(ready)]
        with subprocess.Popen(program, stdout=out, stderr=out) as process:
            try:
                eventually_sync(lambda: ready.exists() or process.poll() is not None, 60)
                assert process.poll() is None
                yield
            finally:
                process.kill()


@asynccontextmanager
async def own_database(postgres: RunningPostgres) -> AsyncIterator[dict[str, str]]:
    """A database of this test's own: DSN by role, the owner's as `admin`."""
    name = f"http_{uuid4().hex}"
    owner = await asyncpg.connect(postgres.dsn())
    await owner.execute(f"CREATE DATABASE {name}")
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    await database.prepare(postgres.dsn("admin", name), passwords)
    place = postgres.dsn("admin", name).rpartition("@")[2]
    dsns = {role: f"postgresql://{role}:{passwords[role]}@{place}" for role in (*database.ROLES, "admin")}
    try:
        yield dsns
    finally:
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()


@asynccontextmanager
async def projecting(kafka: RunningKafka, dsn: str) -> AsyncIterator[None]:
    """The projector at work."""
    access, parties = kafka.access("projector"), contract_files.load_all(POLICIES).newest.parties
    pool = await clients.pool(dsn, projector.POOL)
    async with projector.projections(access, parties) as kept:
        tasks = [asyncio.create_task(one.run()) for one in projector.runners(kept, access, pool)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            pool.terminate()


@dataclass
class HttpSide:
    """The application, and what a test needs to talk to it and to look behind it."""

    kafka: RunningKafka
    dsns: dict[str, str]
    application: ASGIApp
    contracts: Contracts
    issuer: Path
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    def token(self, party: str, *roles: Role, actor: UUID | None = None, lifetime: timedelta | None = None) -> str:
        return tokens.mint(
            self.issuer,
            party,
            roles or (Role.PUBLISH, Role.RECEIVE),
            parties=frozenset(self.contracts.newest.parties),
            actor=actor,
            lifetime=lifetime or tokens.LIFETIME,
        )

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        made = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, timeout=60)
        self.opened.append(made)
        return made

    def party(self, party: str) -> httpx.AsyncClient:
        """A client with a party's usual token; its actor is new each time."""
        return self.client(self.token(party, Role.PUBLISH, Role.RECEIVE, actor=uuid4()))

    async def owner(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.dsns["admin"])

    async def end(self, topic: str, partition: int = 0) -> int:
        return (await self.ends([TopicPartition(topic, partition)]))[TopicPartition(topic, partition)]

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        async with consuming(self.kafka) as consumer:
            found: dict[TopicPartition, int] = await consumer.end_offsets(places)
        return found

    async def records(self, topic: str, partition: int = 0, after: int = 0) -> list[Inbound]:
        """What a topic holds from an offset on."""
        place = TopicPartition(topic, partition)
        end = await self.end(topic, partition)
        found: list[Inbound] = []
        async with consuming(self.kafka) as consumer:
            consumer.assign([place])
            start = (await consumer.beginning_offsets([place]))[place]
            consumer.seek(place, max(after, start))
            while await consumer.position(place) < end:
                for batch in (await consumer.getmany(place, timeout_ms=200)).values():
                    found += [Inbound(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers)) for r in batch]
        return found


@asynccontextmanager
async def consuming(kafka: RunningKafka) -> AsyncIterator[Any]:
    consumer = clients.consumer(kafka.access())
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def serving(
    kafka: RunningKafka, dsns: dict[str, str], folder: Path, waits: web.Waits | None = None
) -> AsyncIterator[HttpSide]:
    """The web process's application."""
    contracts = contract_files.load_all(POLICIES)
    setup = web.WebSetup(
        contracts=contracts,
        follows_events=False,
        gateway_kafka=kafka.access("gateway"),
        vault_kafka=kafka.access("vault"),
        dsns=dsns,
        issuer_directory=folder / "issuer",
        vault_keys=folder / "vault.keys",
        waits=waits or web.Waits(),
    )
    async with web.opened(setup) as application:
        side = HttpSide(kafka, dsns, application, contracts, folder / "issuer")
        try:
            yield side
        finally:
            for client in side.opened:
                await client.aclose()


def structured(saying: Saying, **changes: Any) -> dict[str, Any]:
    """A saying as a structured CloudEvent; a change to None leaves the attribute out."""
    event = {
        "specversion": "1.0",
        "id": saying.id,
        "source": source_of(saying.party),
        "type": f"dk.samspil.{saying.type}.v1",
        "time": saying.time,
        "datacontenttype": "application/json",
        **({"subject": saying.case} if saying.case else {}),
        "data": saying.data,
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


async def say(client: httpx.AsyncClient, saying: Saying, wait: int | None = 20, **changes: Any) -> httpx.Response:
    """Say it structured, and wait for the verdict unless told otherwise."""
    headers = {"Content-Type": STRUCTURED, **({} if wait is None else {"Prefer": f"wait={wait}"})}
    return await client.post("/events", content=json.dumps(structured(saying, **changes)), headers=headers)


async def deposit(client: httpx.AsyncClient, saying: Saying, **values: Any) -> None:
    """Deposit a value for each reference of a saying."""
    for name, ref in saying.data.items():
        if isinstance(ref, str) and ref.startswith("vault:"):
            value = values.get(name, f"value of {name}")
            place = {"case": saying.case or "", "field": name}
            answer = await client.put(f"/vault/{ref.removeprefix('vault:')}", json=value, params=place)
            assert answer.status_code in {201, 204}, answer.text


async def tell(side: HttpSide, saying: Saying, **values: Any) -> dict[str, Any]:
    """Deposit, say, and be accepted."""
    client = side.party(saying.party)
    await deposit(client, saying, **values)
    answer = await say(client, saying)
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict
