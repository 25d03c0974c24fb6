"""Pins on real PostgreSQL: whoever would tell a change waits for them, and none outlasts its reader or its time."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from consumers import binding
from consumers.binding import STATES, Binding, Ends
from consumers.case_pins import MOST_OF_A_PARTY, NotPinnedError, Pin, Turns, pinned, slot
from consumers.case_states import KEEP, CaseStates
from consumers.news import News
from consumers.runner import STORED
from deploy import clients
from schemas import topics
from schemas.case import Case, Said, saying
from schemas.errors import UnreachableError
from schemas.state import empty, encode
from tests import http_side
from tests.brokers import RunningPostgres
from tests.waiting import eventually, eventually_sync

FOREVER = 3_600.0
_FROZEN = """
import asyncio, os, signal, sys
from consumers.case_pins import NotPinnedError, pinned
from deploy import clients

async def read():
    pool = await clients.pool(sys.argv[1])
    try:
        async with pinned(pool, sys.argv[2].encode(), asyncio.Semaphore()) as pin:
            os.kill(os.getpid(), signal.SIGSTOP)
            await pin.require()
            print("a byte leaves")
    except NotPinnedError:
        print("not pinned")
    pool.terminate()

asyncio.run(read())
"""


async def nowhere(partitions: Iterable[int]) -> Mapping[int, int]:
    """Every topic is empty."""
    return dict.fromkeys(partitions, 0)


@dataclass
class Sides:
    """Readers' connections, and those of who tells what changed."""

    dsn: str
    readers: asyncpg.Pool
    telling: asyncpg.Pool
    owner: asyncpg.Connection
    turns: Turns = field(default_factory=Turns)
    kept: News = field(default_factory=News)

    def reading(self, case: str, party: str = "vink") -> AbstractAsyncContextManager[Pin]:
        return pinned(self.readers, case.encode(), self.turns.of(party))

    async def tell(self, cases: Collection[str] | None, ends: Ends = nowhere, event: str | None = None) -> None:
        """Wait until a change may be told that stands in the states already (or an event that does not)."""
        for case in [] if event else cases or []:
            await self.telling.execute(KEEP, [case], [topics.partition_of(case.encode())], [encode(empty(case))])
        told = None if cases is None else {case: [event] if event else [] for case in cases}
        async with self.telling.acquire() as connection, connection.transaction():
            await Binding(ends, self.kept)(connection, told)

    async def someone_has_looked(self, statement: str) -> bool:
        """Whether somebody who would tell a change has asked this last, and waits."""
        looking = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'projector' AND datname = current_database()"
        return bool(await self.owner.fetchval(f"{looking} AND state LIKE '%in transaction' AND query = $1", statement))

    async def someone_waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        waiting += " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        return bool(await self.owner.fetchval(waiting))


@pytest.fixture
async def sides(postgres: RunningPostgres) -> AsyncIterator[Sides]:
    async with http_side.own_database(postgres) as dsns:
        readers, telling = await clients.pool(dsns["vault"]), await clients.pool(dsns["projector"])
        owner = await clients.connection(dsns["admin"])
        yield Sides(dsns["vault"], readers, telling, owner)
        await owner.close()
        readers.terminate()
        telling.terminate()


async def test_who_tells_waits_for_every_reader_of_its_case_and_for_no_other(sides: Sides) -> None:
    case = str(uuid4())
    other = next(o for o in map(str, iter(uuid4, None)) if slot(o.encode()) != slot(case.encode()))
    async with sides.reading(case):
        await sides.tell([other])
        async with sides.reading(case):
            telling = asyncio.create_task(sides.tell([case, other]))
            await eventually(sides.someone_waits)
        assert not telling.done()
        assert await sides.someone_waits()
    await telling


async def test_who_cannot_say_which_case_waits_for_all_readers(sides: Sides) -> None:
    async with sides.reading(str(uuid4())):
        telling = asyncio.create_task(sides.tell(None))
        await eventually(sides.someone_waits)
    await telling


async def test_a_reader_comes_after_who_waits_and_gives_up_in_time(sides: Sides) -> None:
    case = str(uuid4())
    async with sides.reading(case):
        telling = asyncio.create_task(sides.tell([case]))
        await eventually(sides.someone_waits)
        with pytest.raises(NotPinnedError, match="LockNotAvailable"):
            async with sides.reading(case):
                pytest.fail("pinned before who waits")
    await telling
    async with sides.reading(case) as pin:
        await pin.require()


async def test_a_party_whose_readers_are_slow_keeps_no_other_waiting(sides: Sides) -> None:
    case = str(uuid4())
    async with AsyncExitStack() as slow:
        for _ in range(MOST_OF_A_PARTY):
            await slow.enter_async_context(sides.reading(case))
        one_more = asyncio.create_task(_read(sides, case, "vink"))
        await _read(sides, case, "sof")
        assert not one_more.done()
    await one_more


async def _read(sides: Sides, case: str, party: str) -> None:
    async with sides.reading(case, party) as pin:
        await pin.require()


async def test_nothing_is_done_for_longer_than_a_pin_lasts(sides: Sides) -> None:
    case = str(uuid4())
    with pytest.raises(NotPinnedError, match="Timeout"):
        async with sides.reading(case):
            await asyncio.Event().wait()
    await sides.tell([case])


@pytest.mark.parametrize("asks", [True, False])
async def test_a_pin_goes_with_its_connection_and_its_reader_stops(sides: Sides, *, asks: bool) -> None:
    case = str(uuid4())

    async def read() -> None:
        async with sides.reading(case) as pin:
            await sides.owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'vault'")
            await (pin.require() if asks else asyncio.Event().wait())
            pytest.fail("a byte leaves")

    with pytest.raises(NotPinnedError):
        await read()
    await sides.tell([case])


async def test_a_frozen_reader_is_waited_for_no_longer_than_seconds_and_sends_nothing_when_it_wakes(
    sides: Sides,
) -> None:
    case = str(uuid4())
    command = [sys.executable, "-c", _FROZEN, sides.dsn, case]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:  # noqa: ASYNC220 - it ends with the test
        await asyncio.to_thread(eventually_sync, lambda: _is_stopped(reader.pid))
        await sides.tell([case])
        reader.send_signal(signal.SIGCONT)
        said, _ = await asyncio.to_thread(reader.communicate)
    assert said == "not pinned\n"


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - no file, a question to the kernel
        return file.read().rpartition(")")[2].split()[0] == "T"


async def test_an_event_that_no_state_shows_waits_for_its_place(sides: Sides) -> None:
    case = str(uuid4())

    async def further(partitions: Iterable[int]) -> Mapping[int, int]:
        return dict.fromkeys(partitions, 1)

    telling = asyncio.create_task(sides.tell([case], further, str(uuid4())))
    await eventually(lambda: sides.someone_has_looked(STORED))
    assert not telling.done()
    place = "INSERT INTO readmodel.positions (projection, topic, partition, position) VALUES ($1, $2, $3, 1)"
    await sides.owner.execute(place, CaseStates.name, topics.CASES, topics.partition_of(case.encode()))
    await telling


async def test_an_event_that_its_state_shows_waits_for_no_place(sides: Sides) -> None:
    case, event = str(uuid4()), str(uuid4())

    async def never(_: Iterable[int]) -> Mapping[int, int]:
        pytest.fail("asked")

    shown = encode(saying(Case(case), event, Said("sof", "follow-up-held")))
    await sides.telling.execute(KEEP, [case], [topics.partition_of(case.encode())], [shown])
    await sides.tell([case], never, event)


async def test_who_waits_for_a_state_looks_again_as_soon_as_one_was_kept(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "_LOOK_AGAIN", FOREVER)
    case, event = str(uuid4()), str(uuid4())
    telling = asyncio.create_task(sides.tell([case], nowhere, event))
    await eventually(lambda: sides.someone_has_looked(STATES))
    shown = encode(saying(Case(case), event, Said("sof", "follow-up-held")))
    await sides.telling.execute(KEEP, [case], [topics.partition_of(case.encode())], [shown])
    assert not telling.done()
    sides.kept.come()
    await telling


async def test_nothing_is_told_while_nobody_says_where_the_topic_ends(sides: Sides) -> None:
    async def away(_: Iterable[int]) -> Mapping[int, int]:
        raise UnreachableError

    for cases in (None, [str(uuid4())]):
        with pytest.raises(TimeoutError):
            await sides.tell(cases, away, str(uuid4()))


async def test_a_reader_needs_no_right_beyond_connecting(sides: Sides) -> None:
    may: list[Any] = await sides.owner.fetch(
        "SELECT privilege_type FROM information_schema.table_privileges"
        " WHERE grantee = 'vault' AND table_schema = 'readmodel' AND privilege_type <> 'SELECT'"
    )
    assert may == []
