"""Views over HTTP on real Kafka: pages, cursors, the long poll."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from consumers import views_feed
from consumers.runner import started
from schemas import topics
from schemas.canonical import canonical
from schemas.identity import Role
from schemas.views import View, heading_of
from tests import http_side
from tests.brokers import RunningKafka, RunningPostgres
from tests.http_side import HttpSide

PARTY = "kff"


@pytest.fixture(scope="module")
async def side(
    kafka: RunningKafka, postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HttpSide]:
    kafka.reset()  # views of other tests would come between
    folder: Path = tmp_path_factory.mktemp("web")
    async with (
        http_side.own_database(postgres) as dsns,
        http_side.serving(kafka, dsns, folder) as opened,
    ):
        yield opened


def view(party: str) -> View:
    data = {"fields": {"kind": "outreach"}, "refs": {}, "case_refs": {}, "grounds": [], "contract": "d"}
    source, time = "urn:samspil:party:ku", "2026-03-02T11:00:00Z"
    type_ = "dk.samspil.prevention-activity-held.v1"
    return View(party, str(uuid4()), heading_of(type_, source, None, time, str(uuid4())), canonical(data))


async def show(kafka: RunningKafka, *views: View, commit: bool = True) -> None:
    """In a transaction, as COORDINATE does."""
    async with started(AIOKafkaProducer(**kafka.access().aiokafka(), transactional_id="samspil.test.feed")) as producer:
        await producer.begin_transaction()
        for v in views:
            record = producer.send(topics.views(v.recipient), v.value, v.id.encode(), 0, headers=list(v.headers()))
            await (await record)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def test_all_views_come_page_by_page_and_again_for_an_older_cursor(side: HttpSide, kafka: RunningKafka) -> None:
    shown = [view(PARTY) for _ in range(views_feed.MOST_VIEWS + 20)]
    await show(kafka, *shown)
    client = side.party(PARTY)
    pages: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = (await client.get("/views", params={} if cursor is None else {"after": cursor})).json()
        if not page["views"]:
            break
        pages, cursor = [*pages, page], page["cursor"]
    assert max(len(page["views"]) for page in pages) <= views_feed.MOST_VIEWS
    seen = [one for page in pages for one in page["views"]]
    assert seen == [v.body() for v in shown]
    again = await client.get("/views", params={"after": pages[0]["cursor"]})
    assert again.json()["views"][0] == pages[1]["views"][0]


async def test_a_party_receives_its_own_views_alone(side: HttpSide, kafka: RunningKafka) -> None:
    await show(kafka, view("tmf"), view("suf"))
    page = (await side.party("tmf").get("/views")).json()
    assert len(page["views"]) == 1
    assert (await side.client(side.token("tmf", Role.PUBLISH)).get("/views")).status_code == 403


async def test_what_was_aborted_is_never_shown(side: HttpSide, kafka: RunningKafka) -> None:
    aborted, committed = view("bif"), view("bif")
    await show(kafka, aborted, commit=False)
    await show(kafka, committed)
    page = (await side.party("bif").get("/views")).json()
    assert [one["id"] for one in page["views"]] == [committed.id]


async def test_a_long_poll_ends_with_the_first_view(side: HttpSide, kafka: RunningKafka) -> None:
    client = side.party("ekp")
    cursor = (await client.get("/views")).json()["cursor"]
    waiting = asyncio.create_task(client.get("/views", params={"after": cursor, "wait": 20}))
    one = view("ekp")
    await show(kafka, one)
    answer = await asyncio.wait_for(waiting, 10)
    assert [found["id"] for found in answer.json()["views"]] == [one.id]
    rest = await client.get("/views", params={"after": answer.json()["cursor"], "wait": 0.1})
    assert rest.json() == {"views": [], "cursor": rest.json()["cursor"]}


async def test_a_cursor_below_what_is_kept_has_expired(side: HttpSide, kafka: RunningKafka) -> None:
    client = side.party("vink")
    await show(kafka, view("vink"), view("vink"))
    cursor = views_feed.cursor_of(0)
    assert (await client.get("/views", params={"after": cursor})).status_code == 200
    admin = AIOKafkaAdminClient(**kafka.access().aiokafka())
    await admin.start()
    await admin.delete_records({TopicPartition(topics.views("vink"), 0): RecordsToDelete(before_offset=1)})
    await admin.close()
    answer = await client.get("/views", params={"after": cursor})
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:samspil:problem:expired-cursor")
    beyond = await client.get("/views", params={"after": views_feed.cursor_of(10**9)})
    assert beyond.status_code == 410
    assert len((await client.get("/views")).json()["views"]) == 1


@pytest.mark.parametrize("cursor", ["251248-9996", "", "====", "djI=", "djEuLTE", "ø"])
async def test_what_is_no_cursor_is_a_bad_request(side: HttpSide, cursor: str) -> None:
    answer = await side.party(PARTY).get("/views", params={"after": cursor})
    assert answer.status_code == 400
    assert "9996" not in answer.text


async def test_a_party_that_polls_too_often_waits_alone(side: HttpSide) -> None:
    client = side.party("ssp")
    query = {"after": (await client.get("/views")).json()["cursor"], "wait": "20"}
    polls = [client.get("/views", params=query) for _ in range(views_feed.MOST_OF_A_PARTY + 1)]
    waiting = [asyncio.create_task(poll) for poll in polls]
    [turned_away], others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert turned_away.result().status_code == 503
    assert (await side.party("ekp").get("/views")).status_code == 200
    for poll in others:
        poll.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert (await client.get("/views")).status_code == 200


async def test_the_wait_is_bounded(side: HttpSide) -> None:
    assert (await side.party(PARTY).get("/views", params={"wait": 31})).status_code == 400
