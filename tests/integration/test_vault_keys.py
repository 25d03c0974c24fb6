"""Keys of cases on the real services: a rotation that nobody notices, an erasure that deposits cannot outrun."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from consumers import vault as vault_
from consumers.case_keys import KEYS, CaseKeys, Wrapped
from consumers.case_states import CaseStates
from consumers.key_rotation import BATCH, BEGIN, Rotation
from consumers.vault import CaseBusyError, ErasedError, Value, Vault
from deploy import clients, vault_key
from deploy.vault_key import KeyFile
from schemas import topics
from schemas.attributes import JSON
from schemas.case import Chain, Erased
from schemas.may_read import Deposit
from schemas.records import Inbound
from schemas.state import encode
from tests import http_side, speech
from tests.brokers import RunningPostgres
from tests.http_side import HttpSide
from tests.waiting import eventually

VALUE = Value(JSON, b'{"name": "Testperson B"}')


def keys_of(side: HttpSide) -> Path:
    return side.issuer.parent / "vault.keys"


@dataclass(frozen=True)
class Said:
    """What the command said."""

    status: int
    answer: dict[str, Any]
    notes: str


@pytest.fixture
def rotate(side: HttpSide, tmp_path: Path) -> Callable[[], Awaitable[Said]]:
    """The real command, with the vault's own login."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"vault": side.kafka.passwords["vault"]}))
    environment = {
        **os.environ,
        "SAMSPIL_HOME": str(tmp_path),
        "SAMSPIL_CREDENTIALS": str(credentials),
        "SAMSPIL_DATABASE": side.dsns["vault"].rpartition("@")[2],
        "SAMSPIL_VAULT_KEYS": str(keys_of(side)),
    }
    program = (sys.executable, "-m", "deploy.cli.main", "vault", "rotate", "--json")

    async def run() -> Said:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*program, env=environment, stdout=pipe, stderr=pipe)
        answer, notes = await process.communicate()
        return Said(process.returncode or 0, json.loads(answer or b"{}"), notes.decode())

    return run


@pytest.fixture
async def owner(side: HttpSide) -> AsyncIterator[asyncpg.Connection]:
    connection = await side.owner()
    yield connection
    await connection.close()


async def wrapped_by(owner: asyncpg.Connection) -> set[str]:
    return {row["key_id"] for row in await owner.fetch("SELECT key_id FROM vault.case_keys")}


async def put(side: HttpSide, case: str | None = None, ref: str | None = None) -> tuple[str, dict[str, str], int]:
    """Deposit for a case; return the reference, the place and the status."""
    ref, place = ref or str(uuid4()), {"case": case or str(uuid4()), "field": "person"}
    answer = await side.party("buf").put(f"/vault/{ref}", json={"name": "Testperson B"}, params=place)
    return ref, place, answer.status_code


async def test_a_rotation_is_noticed_by_nobody(
    side: HttpSide, owner: asyncpg.Connection, rotate: Callable[[], Awaitable[Said]]
) -> None:
    concern = speech.concern("buf", str(uuid4()))
    await http_side.tell(side, concern)
    before = await KeyFile(keys_of(side)).current()
    statuses: list[int] = []
    over = asyncio.Event()

    async def reads() -> None:
        while not over.is_set():
            ref = concern.data["person"].removeprefix("vault:")
            statuses.append((await side.party("buf").get(f"/vault/{ref}")).status_code)

    async def deposits() -> None:
        while not over.is_set():
            statuses.append((await put(side))[2])

    async with asyncio.TaskGroup() as group:
        group.create_task(reads())
        group.create_task(deposits())
        said = [await rotate(), await rotate()]
        over.set()
    assert [one.status for one in said] == [0, 0]
    assert said[0].answer["rewrapped"] >= 1
    assert said[0].answer["left"] == said[1].answer["left"] == 0
    assert {200, 201} == set(statuses)
    now = said[1].answer["key"]
    assert len({before, said[0].answer["key"], now}) == 3
    assert await wrapped_by(owner) == {now}
    assert [vault_key.key_id(key) for key in vault_key.read(keys_of(side))] == [now]


async def test_a_rotation_that_was_broken_off_is_finished_by_the_next(
    side: HttpSide, owner: asyncpg.Connection, rotate: Callable[[], Awaitable[Said]]
) -> None:
    keeper = KeyFile(keys_of(side))
    old, keys = await keeper.current(), CaseKeys(keeper)
    for _ in range(BATCH + 1):
        case = str(uuid4())
        made = await keys.wrapped(case, os.urandom(32), old)
        await owner.execute("INSERT INTO vault.case_keys VALUES ($1, $2, $3)", case, made.key_id, made.text)
    ref, place, _ = await put(side)

    def crash(_count: int) -> None:
        raise ConnectionResetError

    connection = await asyncpg.connect(side.dsns["vault"])
    with pytest.raises(ConnectionResetError):
        await Rotation(connection, keys, keeper.renew, keeper.keep_only).run(crash)
    await connection.close()
    new = await keeper.current()
    assert await wrapped_by(owner) == {old, new}
    assert len(vault_key.read(keys_of(side))) == 2
    assert (await put(side, place["case"], ref))[2] == 204
    said = await rotate()
    assert (said.status, said.answer["key"], said.answer["left"]) == (0, new, 0)
    assert await wrapped_by(owner) == {new}
    assert len(vault_key.read(keys_of(side))) == 1
    assert (await put(side, place["case"], ref))[2] == 204


async def test_what_an_older_key_still_wraps_keeps_that_key(
    side: HttpSide, owner: asyncpg.Connection, rotate: Callable[[], Awaitable[Said]]
) -> None:
    case = str(uuid4())
    await owner.execute("INSERT INTO vault.case_keys VALUES ($1, $2, $3)", case, "of another file", bytes(92))
    said = await rotate()
    assert (said.status, said.answer["left"]) == (1, 1)
    assert len(vault_key.read(keys_of(side))) == 2
    await owner.execute('DELETE FROM vault.case_keys WHERE "case" = $1', case)
    assert (await rotate()).status == 0
    assert len(vault_key.read(keys_of(side))) == 1


async def test_one_rotation_at_a_time(side: HttpSide, rotate: Callable[[], Awaitable[Said]]) -> None:
    other = await asyncpg.connect(side.dsns["vault"])
    assert await other.fetchval(BEGIN, KEYS)
    said = await rotate()
    await other.close()
    assert said.status == 2
    assert said.notes == "Another rotation of the vault's keys is under way.\n"


async def test_without_its_keys_the_vault_gives_and_takes_nothing(side: HttpSide) -> None:
    concern = speech.concern("buf", str(uuid4()))
    await http_side.tell(side, concern)
    path = keys_of(side)
    hidden = path.rename(path.with_name("elsewhere"))
    try:
        client, ref = side.party("buf"), concern.data["person"].removeprefix("vault:")
        place = {"case": str(uuid4()), "field": "person"}
        for answer in (
            await client.get(f"/vault/{ref}"),
            await client.put(f"/vault/{ref}", json=1, params={**place, "case": concern.case or ""}),
            await client.put(f"/vault/{uuid4()}", json=1, params=place),
        ):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    finally:
        hidden.rename(path)
    assert (await client.get(f"/vault/{ref}")).status_code == 200


async def test_a_key_of_another_case_opens_nothing(side: HttpSide, owner: asyncpg.Connection) -> None:
    (ref, place, _), (_, other, _) = await put(side), await put(side)
    moved = 'UPDATE vault.case_keys SET wrapped = (SELECT wrapped FROM vault.case_keys WHERE "case" = $1)'
    await owner.execute(moved + ' WHERE "case" = $2', other["case"], place["case"])
    answer = await side.party("buf").put(f"/vault/{ref}", json={"name": "Testperson B"}, params=place)
    assert (answer.status_code, "Testperson" in answer.text) == (500, False)


class SlowKeys(KeyFile):
    """A key-encryption key that lets a deposit wait while it has its case locked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def wrap(self, key_id: str, secret: bytes) -> Wrapped:
        self.asked.set()
        await self.answers.wait()
        return await super().wrap(key_id, secret)


@dataclass
class Racing:
    """A vault and a projector on a database of their own."""

    vault: Vault
    keys: SlowKeys
    projector: asyncpg.Connection
    owner: asyncpg.Connection
    case: str

    async def deposit(self) -> bool:
        return await self.vault.deposit(Deposit(f"vault:{uuid4()}", "buf", self.case, "person"), VALUE)

    @asynccontextmanager
    async def erasing(self) -> AsyncIterator[None]:
        """In the projector's transaction, the stub of the case."""
        stub = encode(Erased("2026-03-02T11:00:00.000000Z", self.case, str(uuid4()), "retention", (), "", Chain()))
        record = Inbound(topics.CASES, 0, 0, self.case.encode(), stub, ())
        async with self.projector.transaction():
            await CaseStates().write(self.projector, [record])
            yield

    async def kept(self) -> tuple[int, int]:
        rows = [
            await self.owner.fetchval(f'SELECT count(*) FROM vault.{table} WHERE "case" = $1', self.case)  # noqa: S608
            for table in ("deposits", "case_keys")
        ]
        return rows[0], rows[1]

    async def waits(self, role: str) -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = $1"
        return bool(await self.owner.fetchval(waiting + " AND datname = current_database()", role))


@pytest.fixture
async def racing(postgres: RunningPostgres, tmp_path: Path) -> AsyncIterator[Racing]:
    async def in_force() -> tuple[datetime, Any]:
        return datetime.now(UTC), None

    async def unused(*_: Any) -> int:
        raise AssertionError

    async with http_side.own_database(postgres) as dsns:
        pool = await clients.pool(dsns["vault"])
        projector, owner = [await asyncpg.connect(dsns[role]) for role in ("projector", "admin")]
        vault_key.ensured(tmp_path / "vault.keys", None)
        keys = SlowKeys(tmp_path / "vault.keys")
        yield Racing(Vault(pool, CaseKeys(keys), unused, unused, in_force), keys, projector, owner, str(uuid4()))
        await asyncio.gather(pool.close(), projector.close(), owner.close())


async def test_an_erasure_takes_with_it_a_deposit_that_began_before(racing: Racing) -> None:
    deposit = asyncio.create_task(racing.deposit())
    await racing.keys.asked.wait()

    async def erase() -> None:
        async with racing.erasing():
            pass

    erasure = asyncio.create_task(erase())
    await eventually(lambda: racing.waits("projector"))
    assert not erasure.done()
    racing.keys.answers.set()
    assert await deposit
    await erasure
    assert await racing.kept() == (0, 0)
    with pytest.raises(ErasedError):
        await racing.deposit()


async def test_a_deposit_that_begins_during_an_erasure_is_refused_after_it(racing: Racing) -> None:
    racing.keys.answers.set()
    assert await racing.deposit()
    async with racing.erasing():
        deposit = asyncio.create_task(racing.deposit())
        await eventually(lambda: racing.waits("vault"))
    with pytest.raises(ErasedError):
        await deposit
    assert await racing.kept() == (0, 0)


async def test_a_deposit_does_not_wait_for_ever(racing: Racing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_, "LOCKED_WITHIN", "100ms")
    racing.keys.answers.set()
    async with racing.erasing():
        with pytest.raises(CaseBusyError):
            await racing.deposit()


async def test_first_deposits_of_a_case_at_once_share_its_key(racing: Racing) -> None:
    racing.keys.answers.set()
    assert all(await asyncio.gather(*(racing.deposit() for _ in range(8))))
    assert await racing.kept() == (8, 1)


async def test_an_erasure_is_on_disk_when_it_is_committed_and_nothing_else_waits_for_the_disk(racing: Racing) -> None:
    other = Inbound(topics.CASES, 0, 0, str(uuid4()).encode(), b"{}", ())
    settled = "SHOW synchronous_commit"
    async with racing.projector.transaction():
        await CaseStates().write(racing.projector, [other])
        assert await racing.projector.fetchval(settled) == "off"
    async with racing.erasing():
        await CaseStates().write(racing.projector, [other])  # one by one, as where a record could not be read
        assert await racing.projector.fetchval(settled) == "on"
    assert await racing.projector.fetchval(settled) == "on"
    async with racing.projector.transaction():
        await CaseStates().write(racing.projector, [other])
        assert await racing.projector.fetchval(settled) == "off"
