"""Readiness is asked for by anybody, and of database and broker once a second at most."""

import asyncio

import httpx

from deploy import http_app
from deploy.http_front import HttpMetrics
from deploy.readiness import ASKED_EVERY, Readiness, RecentReadiness


class Asked:
    """Counts how often it is asked; the answer comes once it is let go."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self.times = 0
        self.now = 0.0
        self.answering = asyncio.Event()

    async def __call__(self) -> dict[str, bool]:
        self.times += 1
        await self.answering.wait()
        return {"database": self.times == 1}


async def test_however_many_ask_it_is_asked_once() -> None:
    asked = Asked()
    recent = RecentReadiness(asked, lambda: asked.now)
    crowd = [asyncio.create_task(recent.asked()) for _ in range(50)]
    asked.answering.set()
    assert await asyncio.gather(*crowd) == [{"database": True}] * 50
    assert asked.times == 1


async def test_an_answer_is_good_for_a_second_whatever_it_was() -> None:
    asked = Asked()
    asked.answering.set()
    recent = RecentReadiness(asked, lambda: asked.now)
    assert (await recent.asked())["database"]
    asked.now = ASKED_EVERY - 0.01
    assert (await recent.asked())["database"]
    asked.now = ASKED_EVERY
    assert not (await recent.asked())["database"]


async def test_one_who_leaves_while_asking_leaves_no_answer_behind() -> None:
    asked = Asked()
    recent = RecentReadiness(asked, lambda: asked.now)
    first = asyncio.create_task(recent.asked())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    asked.answering.set()
    assert await recent.asked() == {"database": False}
    assert asked.times == 2


async def test_over_http_the_broker_is_not_asked_by_every_request() -> None:
    asked = 0

    async def ends() -> dict[int, int]:
        nonlocal asked
        asked += 1
        return {}

    async def positions() -> dict[int, int]:
        return {}

    app = http_app.compose([], Readiness(positions, ends), HttpMetrics())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert asked == 1
