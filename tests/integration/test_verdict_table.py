"""The verdict table on real PostgreSQL: a verdict for each submission, and what stands of an event."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy import clients
from producers import verdict_desk
from producers.verdict_desk import CHANNEL, VerdictDesk
from producers.verdicts import FORGET, MOST_ANNOUNCED, Told, VerdictProjection, waiting_key
from schemas import topics
from schemas.records import Inbound
from schemas.verdicts import Accepted, Refusal, Verdict, answer
from tests import http_side
from tests.brokers import RunningPostgres
from tests.waiting import eventually

PARTY = "sof"
WITHIN = 20.0
FOREVER = 3_600.0


@dataclass
class Table:
    """The desk where a publisher asks, and what the projector writes with."""

    desk: VerdictDesk
    projector: asyncpg.Connection
    owner: asyncpg.Connection
    bound: list[Told] = field(default_factory=list)  # what each batch waited for
    binds: bool = True

    async def tell(self, *records: Inbound) -> None:
        """Write a batch."""
        async with self.projector.transaction():
            await VerdictProjection([PARTY], self._binding).write(self.projector, records)

    async def _binding(self, _connection: Any, told: Told) -> None:
        self.bound.append(told)
        if not self.binds:
            raise TimeoutError

    async def standing(self, event: UUID) -> str | None:
        return _word(await self.desk.standing(PARTY, event))

    async def at(self, event: UUID, offset: int, seconds: float = 0.2) -> str | None:
        return _word(await self.desk.wait(PARTY, event, offset, seconds))


def _word(verdict: dict[str, str] | None) -> str | None:
    if verdict is None:
        return None
    return "duplicate" if verdict.get("duplicate") else verdict.get("reason", verdict["verdict"])


@pytest.fixture(scope="module")
async def table(postgres: RunningPostgres) -> AsyncIterator[Table]:
    async with http_side.own_database(postgres) as dsns:
        pool = await clients.pool(dsns["gateway"], size=4)
        desk = VerdictDesk(pool, partial(clients.connection, dsns["gateway"]))
        listening = asyncio.create_task(desk.run())
        yield Table(desk, await clients.connection(dsns["projector"]), await clients.connection(dsns["admin"]))
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        pool.terminate()


def accepted(event: UUID, place: int, case: str | None = None) -> Inbound:
    headers = {"ce_id": str(event), "ce_source": f"urn:samspil:party:{PARTY}", "ce_inboxoffset": str(place)}
    headers |= {} if case is None else {"ce_subject": case}
    return Inbound(topics.LOG, 0, 0, b"k", b"{}", tuple((name, text.encode()) for name, text in headers.items()))


def told(event: UUID, verdict: str, place: int | None, offset: int) -> Inbound:
    """A record of the refusals topic, at this offset of it."""
    said: Verdict = Accepted(str(event), duplicate=True) if verdict == "duplicate" else Refusal(str(event), verdict)
    record = answer(PARTY, said, place)
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)


async def test_a_later_refusal_hides_no_acceptance_and_each_place_has_its_answer(table: Table) -> None:
    for together in (True, False):
        for order in permutations(range(3)):
            event = uuid4()
            records = [accepted(event, 5), told(event, "id_reused", 7, 1), told(event, "schema", None, 2)]
            batches = [[records[at] for at in order]] if together else [[records[at]] for at in order]
            for batch in batches:
                await table.tell(*batch)
            assert await table.standing(event) == "accepted"
            assert (await table.at(event, 5), await table.at(event, 7)) == ("accepted", "id_reused")


async def test_who_waits_gets_no_answer_to_a_later_submission(table: Table) -> None:
    event = uuid4()
    await table.tell(told(event, "unknown_case", 7, 1))
    assert await table.at(event, 5) is None
    waiting = asyncio.create_task(table.at(event, 5, 20))
    await table.tell(accepted(event, 5))
    assert await asyncio.wait_for(waiting, 10) == "accepted"


@pytest.mark.parametrize("beside", [0, MOST_ANNOUNCED], ids=["by its name", "among many"])
async def test_who_waits_is_woken_by_the_telling(table: Table, monkeypatch: pytest.MonkeyPatch, beside: int) -> None:
    looks, look = [], table.desk._looked

    async def noted(*asked: Any) -> dict[str, Any] | None:
        looks.append(found := await look(*asked))
        return found

    monkeypatch.setattr(table.desk, "_looked", noted)
    monkeypatch.setattr(verdict_desk, "LOOK_AGAIN", FOREVER)
    event = uuid4()
    waiting = asyncio.create_task(table.at(event, 5, WITHIN))
    await eventually(lambda: looks == [None])
    await table.tell(accepted(event, 5), *(accepted(uuid4(), 100 + number) for number in range(beside)))
    assert await waiting == "accepted"


async def test_what_is_told_again_is_announced_again(table: Table) -> None:
    event, heard = uuid4(), []

    def listen(*notification: Any) -> None:
        heard.append(notification[-1])

    await table.owner.add_listener(CHANNEL, listen)
    for _ in range(2):
        await table.tell(accepted(event, 5))
    await eventually(lambda: heard == [waiting_key(PARTY, event)] * 2)
    await table.owner.remove_listener(CHANNEL, listen)


async def test_at_one_place_an_acceptance_wins(table: Table) -> None:
    for order in permutations(range(3)):
        event = uuid4()
        records = [told(event, "internal", 5, 8), accepted(event, 5), told(event, "duplicate", 5, 9)]
        for at in order:
            await table.tell(records[at])
        assert (await table.at(event, 5), await table.standing(event)) == ("accepted", "accepted")


async def test_without_an_acceptance_the_newest_refusal_stands(table: Table) -> None:
    for order in permutations(range(3)):
        event = uuid4()
        records = [
            told(event, "unknown_case", 3, 1),
            told(event, "schema", None, 2),
            told(event, "unknown_ref", None, 4),
        ]
        for at in order:
            await table.tell(records[at])
        assert (await table.standing(event), await table.at(event, 3)) == ("unknown_ref", "unknown_case")
        await table.tell(told(event, "not_owner", 6, 5))
        assert await table.standing(event) == "not_owner"


async def test_an_acceptance_is_forgotten_with_the_last_that_was_said_of_it(table: Table) -> None:
    event, old = uuid4(), "UPDATE gateway.verdicts SET said_at = now() - interval '15 days' WHERE id = $1"
    await table.tell(accepted(event, 5), told(event, "schema", None, 1))
    await table.owner.execute(old, event)
    await table.tell(told(event, "id_reused", 7, 2))
    await table.projector.execute(FORGET)
    assert await table.standing(event) == "accepted"
    assert await table.at(event, -1, 0.05) is None
    await table.owner.execute(old, event)
    await table.projector.execute(FORGET)
    assert await table.standing(event) is None


async def test_what_does_not_bind_yet_is_not_told_and_neither_is_what_came_with_it(table: Table) -> None:
    event, other = uuid4(), uuid4()
    table.binds = False
    with pytest.raises(TimeoutError):
        await table.tell(accepted(event, 5, "a case"), told(other, "schema", None, 1))
    assert (await table.standing(event), await table.standing(other)) == (None, None)
    table.binds = True
    await table.tell(accepted(event, 5, "a case"), told(other, "schema", None, 1))
    assert (await table.standing(event), await table.standing(other)) == ("accepted", "schema")


async def test_an_acceptance_binds_in_its_case_and_a_refusal_waits_for_nothing(table: Table) -> None:
    await table.tell(told(uuid4(), "schema", 4, 1))
    assert table.bound[-1] == {}
    await table.tell(accepted(uuid4(), 5))  # outside any case
    assert table.bound[-1] == {}
    one, other = uuid4(), uuid4()
    await table.tell(accepted(one, 6, "its case"), accepted(other, 7, "another"), told(uuid4(), "schema", 8, 2))
    assert table.bound[-1] == {"its case": {str(one)}, "another": {str(other)}}


async def test_what_was_said_twice_is_told_no_earlier_than_its_acceptance(table: Table) -> None:
    event, again = uuid4(), partial(told, verdict="duplicate", place=9, offset=3)
    await table.tell(again(event))  # whichever case it is: its acceptance has not been read yet
    await table.tell(accepted(event, 5, "a case"), again(event))
    await table.tell(again(event))
    assert table.bound[-3:] == [None, {"a case": {str(event)}}, {}]


async def test_of_an_erased_event_no_verdict_stays(table: Table) -> None:
    """Its tombstone takes the verdict away, in the same batch as well as later."""
    before, at_once, other = uuid4(), uuid4(), uuid4()
    await table.tell(accepted(before, 1), accepted(other, 2))
    assert await table.standing(before) == "accepted"
    await table.tell(_tombstone(before), accepted(at_once, 3), _tombstone(at_once))
    assert [await table.standing(event) for event in (before, at_once, other)] == [None, None, "accepted"]


def _tombstone(event: UUID) -> Inbound:
    return Inbound(topics.LOG, 0, 99, f"{PARTY}/{uuid4()}/{event}".encode(), None, ())
