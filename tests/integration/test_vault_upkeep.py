"""The vault's upkeep on the real services: a rotation of keys that nobody notices, and what goes though its case stays.

What goes is not a moment too early, and never under a hold.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from consumers.case_ends import CaseEnds
from consumers.case_keys import KEYS, CaseKeys
from consumers.key_rotation import BATCH, BEGIN, Rotation
from consumers.runner import started
from consumers.vault_removal import GRACE, VaultRemoval
from deploy import clients, vault_key
from deploy.judged import Judged
from deploy.vault_key import KeyFile
from schemas import topics
from schemas.case import Hold, hold_key
from schemas.periods import end_of
from schemas.state import encode
from tests import http_side, speech
from tests.http_side import HttpSide
from tests.waiting import eventually


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


SOON = timedelta(seconds=1)


@dataclass
class Looking:
    """The removal with the projector's own logins, and what a test needs to look behind it."""

    side: HttpSide
    removal: VaultRemoval
    owner: asyncpg.Connection

    async def at(self, now: datetime) -> int:
        found = await eventually(lambda: self._tried(now))
        return found - 1

    async def _tried(self, now: datetime) -> int:
        removed = await self.removal.run(now, self.side.contracts.at(now))
        return 0 if removed is None else removed + 1

    async def deposited(self, case: str) -> datetime:
        """When the newest deposit of a case was made."""
        at = await self.owner.fetchval('SELECT max(deposited_at) FROM vault.deposits WHERE "case" = $1', case)
        assert isinstance(at, datetime)
        return at

    async def kept(self, case: str) -> set[str]:
        rows = await self.owner.fetch('SELECT ref FROM vault.deposits WHERE "case" = $1', case)
        return {f"vault:{row['ref']}" for row in rows}

    async def has_key(self, case: str) -> bool:
        return bool(await self.owner.fetchval('SELECT count(*) FROM vault.case_keys WHERE "case" = $1', case))


@pytest.fixture
async def looking(side: HttpSide) -> AsyncIterator[Looking]:
    access = side.kafka.access("projector")
    pool = await clients.pool(side.dsns["projector"], 2)
    owner = await side.owner()
    async with CaseEnds(lambda: clients.consumer(access, "read_uncommitted")) as ends:
        yield Looking(side, VaultRemoval(pool, Judged(access, side.contracts.parties), ends.all), owner)
    await asyncio.gather(pool.close(), owner.close())


async def put_for(side: HttpSide, case: str, ref: str) -> int:
    place = {"case": case, "field": "narrative"}
    return (await side.party("buf").put(f"/vault/{ref.removeprefix('vault:')}", json=1, params=place)).status_code


def term(side: HttpSide, start: datetime, name: str) -> datetime:
    return end_of(start, side.contracts.at(start).kept[name].keep)


@asynccontextmanager
async def held(looking: Looking, case: str) -> AsyncIterator[None]:
    """A legal hold on the case, as COORDINATE would note it."""
    key, place = hold_key(case).encode(), topics.partition_of(case.encode())
    hold = encode(Hold(case, "2026-03-02T11:00:00.000000Z"))

    async def shown(count: int) -> bool:
        rows = "SELECT count(*) FROM readmodel.case_states WHERE case_id = $1"
        return bool(await looking.owner.fetchval(rows, key.decode()) == count)

    async with started(AIOKafkaProducer(**looking.side.kafka.access().aiokafka())) as producer:
        await producer.send_and_wait(topics.CASES, hold, key, place)
        await eventually(lambda: shown(1))
        yield
        await producer.send_and_wait(topics.CASES, None, key, place)
        await eventually(lambda: shown(0))


async def test_what_nobody_named_goes_when_its_term_is_over_and_not_before(looking: Looking) -> None:
    side = looking.side
    concern, abandoned, ref = speech.concern("buf", str(uuid4())), str(uuid4()), speech.vault_ref()
    await http_side.tell(side, concern)
    named = {concern.data["person"], concern.data["signs"]}
    spare = speech.vault_ref()
    assert await put_for(side, concern.case or "", spare) == await put_for(side, abandoned, ref) == 201
    over = term(side, await looking.deposited(abandoned), "deposits") + GRACE
    await looking.at(over - SOON)
    assert await looking.kept(concern.case or "") == named | {spare}
    assert await looking.kept(abandoned) == {ref}
    await looking.at(over + SOON)
    assert await looking.kept(concern.case or "") == named
    assert await looking.kept(abandoned) == set()
    assert await looking.has_key(concern.case or "")
    assert not await looking.has_key(abandoned)
    assert (await side.party("buf").get(f"/vault/{concern.data['person'].removeprefix('vault:')}")).status_code == 200
    assert await looking.at(over + SOON) == 0
    assert await put_for(side, abandoned, ref) == 201


async def test_a_hold_keeps_even_that(looking: Looking) -> None:
    case, ref = str(uuid4()), speech.vault_ref()
    assert await put_for(looking.side, case, ref) == 201
    over = term(looking.side, await looking.deposited(case), "deposits") + GRACE + SOON
    async with held(looking, case):
        await looking.at(over)
        assert await looking.kept(case) == {ref}
    await looking.at(over)
    assert await looking.kept(case) == set()


async def test_a_hold_that_is_ordered_in_the_middle_stops_it(looking: Looking) -> None:
    """After all was found judged and shown, and with the values about to go: the last question finds the hold."""
    case, ref = str(uuid4()), speech.vault_ref()
    assert await put_for(looking.side, case, ref) == 201
    over = term(looking.side, await looking.deposited(case), "deposits") + GRACE + SOON
    asked = 0
    async with AsyncExitStack() as holding:

        async def ends() -> Mapping[int, int]:
            nonlocal asked
            asked += 1
            if asked == 2:
                await holding.enter_async_context(held(looking, case))
            return await looking.removal.ends()

        await Looking(looking.side, replace(looking.removal, ends=ends), looking.owner).at(over)
        assert asked >= 2
        assert await looking.kept(case) == {ref}


async def a_meeting(side: HttpSide) -> tuple[str, str, str]:
    """A case with a meeting held, register facts for it; the case, the reference of the facts and of the minutes."""
    case, meeting = str(uuid4()), str(uuid4())
    await http_side.tell(side, speech.concern("buf", case))
    screened: dict[str, Any] = {"outcome": "coordinate", "owner": "sof", "grounds": speech.vault_ref()}
    await http_side.tell(side, speech.say("ku", "concern-screened", case, **screened))
    scheduled: dict[str, Any] = {"starts_at": "2026-02-01T10:00:00Z", "forum": "psp", "invited": ["sof", "politi"]}
    await http_side.tell(side, speech.say("ku", "meeting-scheduled", case, meeting=meeting, **scheduled))
    asked: dict[str, Any] = {"meeting": meeting, "expires_at": "2030-01-01T10:00:00Z"}
    await http_side.tell(side, speech.say("ku", "register-check-requested", case, **asked))
    answered: dict[str, Any] = {"meeting": meeting, "relevant": True, "facts": speech.vault_ref()}
    await http_side.tell(side, speech.say("politi", "register-check-answered", case, **answered))
    held_: dict[str, Any] = {"attended": ["sof", "politi"], "recommendation": "measure", "minutes": speech.vault_ref()}
    await http_side.tell(side, speech.say("ku", "meeting-held", case, meeting=meeting, **held_))
    return case, str(answered["facts"]), str(held_["minutes"])


async def test_facts_for_a_meeting_go_with_its_term_and_the_minutes_stay(looking: Looking) -> None:
    case, facts, minutes = await a_meeting(looking.side)
    over = term(looking.side, await looking.deposited(case), "meeting_facts")
    await looking.at(over - SOON)
    assert {facts, minutes} <= await looking.kept(case)
    async with held(looking, case):
        await looking.at(over + SOON)
        assert {facts, minutes} <= await looking.kept(case)
    await looking.at(over + SOON)
    assert facts not in await looking.kept(case)
    assert minutes in await looking.kept(case)
