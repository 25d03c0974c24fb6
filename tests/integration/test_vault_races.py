"""Deposits that race with the erasure of their case, on two connections: whichever comes first, nothing stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from consumers import vault as vault_
from consumers.case_keys import CaseKeys, Wrapped
from consumers.case_states import CaseStates
from consumers.vault import CaseBusyError, ErasedError, Value, Vault
from deploy import clients, vault_key
from deploy.vault_key import KeyFile
from schemas import topics
from schemas.attributes import JSON
from schemas.case import Chain, Erased
from schemas.may_read import Deposit
from schemas.records import Inbound
from schemas.state import encode
from tests import http_side
from tests.brokers import RunningPostgres
from tests.waiting import eventually

VALUE = Value(JSON, b'{"name": "Testperson B"}')


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
