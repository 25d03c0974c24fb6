"""What leaves the vault though its case stays, on the real services: not a moment too early, and never under a hold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from consumers.case_ends import CaseEnds
from consumers.runner import started
from consumers.vault_removal import GRACE, VaultRemoval
from deploy import clients
from deploy.judged import Judged
from schemas import topics
from schemas.case import Hold, hold_key
from schemas.periods import end_of
from schemas.state import encode
from tests import http_side, speech
from tests.http_side import HttpSide
from tests.waiting import eventually

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


async def put(side: HttpSide, case: str, ref: str) -> int:
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
    assert await put(side, concern.case or "", spare) == await put(side, abandoned, ref) == 201
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
    assert await put(side, abandoned, ref) == 201


async def test_a_hold_keeps_even_that(looking: Looking) -> None:
    case, ref = str(uuid4()), speech.vault_ref()
    assert await put(looking.side, case, ref) == 201
    over = term(looking.side, await looking.deposited(case), "deposits") + GRACE + SOON
    async with held(looking, case):
        await looking.at(over)
        assert await looking.kept(case) == {ref}
    await looking.at(over)
    assert await looking.kept(case) == set()


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
