"""The sign-in form is read from whoever sends it: only so much, and only for so long."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from consumers import live_page
from consumers.overview_sessions import Sessions
from deploy import problem_answers
from schemas.identity import Identity
from schemas.problems import Kind, Problem, ProblemError


async def nobody(_token: str | None) -> Identity:
    raise ProblemError(Problem(Kind.UNAUTHENTICATED))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(live_page.router(Sessions(nobody)))
    problem_answers.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as opened:
        yield opened


async def never_ending() -> AsyncIterator[bytes]:
    yield b"token="
    await asyncio.Event().wait()


async def test_a_form_that_never_ends_is_given_up(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "FORM_WITHIN", 0.05)
    answer = await asyncio.wait_for(client.post("/session", content=never_ending()), 5)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


async def test_a_form_that_is_too_long_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/session", content=b"token=" + b"a" * live_page.MOST_FORM)
    assert answer.status_code == 413


async def test_a_form_in_time_is_judged(client: httpx.AsyncClient) -> None:
    answer = await client.post("/session", data={"token": "x"})
    assert answer.status_code == 401
    assert "godkendes" in answer.text
