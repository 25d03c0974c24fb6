"""A withdrawn consent against reads of what it let out: not a byte after its verdict can be had."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from consumers.binding import STATES
from consumers.runner import STORED, started
from deploy import web
from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.records import Outbound
from tests import http_side
from tests.brokers import RunningKafka
from tests.http_side import HttpSide
from tests.reader import Reader
from tests.waiting import eventually
from tests.withdrawing import Consented, consented

READERS = 8
Send = Callable[[Outbound], Awaitable[int]]


async def someone_waits(side: HttpSide) -> bool:
    """Whether the projector waits for readers to end."""
    owner = await side.owner()
    waiting = await owner.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
    )
    await owner.close()
    return bool(waiting)


async def test_the_verdict_waits_for_a_value_that_is_about_to_leave(side: HttpSide) -> None:
    case = await consented(side)
    reader = case.reader()
    reading = asyncio.create_task(reader.read())
    await reader.reached.wait()
    withdrawal = await case.withdraw()
    await eventually(lambda: someone_waits(side))
    assert not await withdrawal.told()
    reader.open.set()
    await reading
    assert (reader.status, orjson.loads(reader.body)) == (200, "a plan")
    await eventually(withdrawal.told)
    refused = await case.read()
    assert (refused.status, orjson.loads(refused.body)["reason"]) == (403, "no_consent")


async def test_a_reader_that_stands_still_gets_nothing_and_holds_nobody_up_for_ever(side: HttpSide) -> None:
    case = await consented(side)
    reader = case.reader()
    reading = asyncio.create_task(reader.read())
    await reader.reached.wait()
    withdrawal = await case.withdraw()
    await eventually(withdrawal.told)
    reader.open.set()
    await reading
    assert reader.parts == []


async def test_a_reader_that_went_away_holds_nobody_up(side: HttpSide) -> None:
    case = await consented(side)
    reader = case.reader()
    reading = asyncio.create_task(reader.read())
    await reader.reached.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    withdrawal = await case.withdraw()
    await eventually(withdrawal.told)
    assert reader.parts == []


async def test_the_verdict_waits_until_the_state_stands_whatever_becomes_visible_first(
    side: HttpSide, kafka: RunningKafka
) -> None:
    """A writer that is under way holds the state back in its partition, and not the record in the log."""
    case = await consented(side)
    access = kafka.access().aiokafka()
    async with started(AIOKafkaProducer(**access, transactional_id="samspil.test.race")) as producer:
        await producer.begin_transaction()
        partition = topics.partition_of(case.case.encode())
        await (await producer.send(topics.CASES, b"{}", str(uuid4()).encode(), partition))
        withdrawal = await case.withdraw()
        await eventually(lambda: the_state_is_waited_for(side))
        assert not await withdrawal.told()
        assert (await case.read()).status == 200  # nobody has been told anything
        await producer.abort_transaction()
    await eventually(withdrawal.told)
    assert (await case.read()).status == 403


async def the_state_is_waited_for(side: HttpSide) -> bool:
    owner = await side.owner()
    looking = await owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'projector' AND datname = current_database()"
        " AND state LIKE '%in transaction' AND query = ANY ($1::text[])",
        [STATES, STORED],
    )
    await owner.close()
    return bool(looking)


async def _at_once() -> None: ...


@dataclass
class Receipts:
    """Sends receipts, and lets their acknowledgement wait for what a test likes."""

    acknowledged: Send | None = None
    wait: Callable[[], Awaitable[None]] = _at_once

    async def __call__(self, record: Outbound) -> int:
        assert self.acknowledged is not None
        offset = await self.acknowledged(record)
        await self.wait()
        return offset


@pytest.fixture
async def apart(
    side: HttpSide, kafka: RunningKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[HttpSide, Receipts]]:
    """A second web process on the same bus, with receipts that a test can hold back."""
    receipts, sender = Receipts(), web._sender

    async def waiting(stack: AsyncExitStack, access: KafkaAccess) -> Send:
        if access.principal != "vault":
            return await sender(stack, access)
        receipts.acknowledged = await sender(stack, access)
        return receipts

    monkeypatch.setattr(web, "_sender", waiting)
    for name in ("vault.keys", "issuer"):
        (tmp_path / name).symlink_to(side.issuer.parent / name)
    async with http_side.serving(kafka, side.dsns, tmp_path) as opened:
        yield opened, receipts


async def test_the_verdict_waits_for_a_read_whose_receipt_is_not_acknowledged_yet(
    side: HttpSide, apart: tuple[HttpSide, Receipts]
) -> None:
    opened, receipts = apart
    case = await consented(side)
    judged, acknowledge = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        judged.set()
        await acknowledge.wait()

    receipts.wait = wait
    reader = case.reader(opened)
    reader.open.set()
    reading = asyncio.create_task(reader.read())
    await judged.wait()
    withdrawal = await case.withdraw()
    telling = asyncio.create_task(withdrawal.told_at())
    await eventually(lambda: someone_waits(side))
    assert not await withdrawal.told()
    acknowledge.set()
    told = await telling
    await reading
    assert reader.status == 200
    assert reader.last_left < told


@asynccontextmanager
async def crowd(case: Consented, opened: HttpSide) -> AsyncIterator[list[Reader]]:
    """Many who read over and over; those that are done, in their order."""
    done: list[Reader] = []

    async def read() -> None:
        while True:
            reader = case.reader(opened)
            reader.open.set()
            await reader.read()
            done.append(reader)

    reading = [asyncio.create_task(read()) for _ in range(READERS)]
    try:
        yield done
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def more_than(count: int, done: list[Reader]) -> None:
    await eventually(lambda: len(done) > count)


async def test_of_many_reads_none_gives_a_byte_after_the_verdict(
    side: HttpSide, apart: tuple[HttpSide, Receipts]
) -> None:
    opened, receipts = apart
    chance = Random(5)  # noqa: S311 - it draws test data

    async def wait() -> None:
        await asyncio.sleep(chance.uniform(0, 0.15))  # as long as everything else together, so that all orders come up

    receipts.wait = wait
    for _ in range(5):
        case = await consented(side)
        async with crowd(case, opened) as done:
            await more_than(READERS, done)
            told = await (await case.withdraw()).told_at()
            begun = len(done) + READERS  # those after it were begun after the verdict
            await more_than(begun, done)
        given = [reader.last_left for reader in done if reader.status == 200]
        assert given
        assert max(given) < told
        assert {reader.status for reader in done[begun:]} == {403}
