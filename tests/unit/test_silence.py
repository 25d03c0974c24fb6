"""Refusals, errors over HTTP, metrics and logs repeat nothing of what was sent: each fails without what keeps it so.

On the running stack, with every file and page: acceptance/test_no_value_anywhere.py.
"""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Query, Request, Response

from deploy import http_app, http_front, logs, problem_answers
from deploy.readiness import Readiness
from schemas import admission
from schemas.contract import Contract
from schemas.log_events import LogEvent
from schemas.verdicts import Refusal
from tests import hostile
from tests.canaries import Canaries
from tests.guards import Guards, patched

HELD = Guards()
CANARIES = Canaries("kanarie0123456789abcdef")
NOTHING: Any = None


class Everything:
    """A set that holds whatever is asked of it."""

    def __contains__(self, _: object) -> bool:
        return True


async def _telling(_: Request, error: Exception) -> Response:
    return Response(str(error) + repr(error.errors() if hasattr(error, "errors") else error), 400)


def _pointing(_model: object, place: tuple[object, ...]) -> str:
    return "/data/" + "/".join(map(str, place))


@HELD.check(known_places=patched(admission, "_pointer", _pointing))
def a_refusal_repeats_nothing(given: Contract) -> None:
    """Whatever is in a record, its refusal has a reason and places that the catalogue knows."""
    refusals = 0
    for record in hostile.records(CANARIES, "buf", 1):
        headers = tuple((name, value if isinstance(value, bytes) else b"") for name, value in record.headers)
        answer = admission.admit(given, "buf", headers, record.value, datetime.now(UTC))
        if isinstance(answer, Refusal):
            refusals += 1
            assert not CANARIES.in_bytes(str(answer.body()).encode())
    assert refusals > 100


@HELD.check(
    places_alone=patched(problem_answers, "_invalid", _telling),
    no_text=patched(problem_answers, "_failed", _telling),
    route=patched(http_front, "_route", lambda scope: scope["path"]),
    method=patched(http_front, "_METHODS", Everything()),
)
def errors_and_metrics_repeat_nothing(_: Contract) -> None:
    """Errors over HTTP name places and kinds; requests are counted by the pattern of their route."""
    canary = CANARIES.at("an address")
    asked = [("GET", f"/{canary}"), ("GET", f"/needs?number={canary}"), ("GET", "/fails"), (canary.upper(), "/needs")]
    told = asyncio.run(_told([*asked, ("GET", "/metrics")], canary))
    assert b"samspil_http_requests_total" in told
    assert not CANARIES.in_bytes(told)


async def _told(asked: list[tuple[str, str]], canary: str) -> bytes:
    router = APIRouter()

    @router.get("/needs")
    async def need(number: Annotated[int, Query()]) -> int:
        return number

    @router.get("/fails")
    async def fail() -> None:
        raise RuntimeError(canary)

    app = http_app.compose([router], Readiness(NOTHING, NOTHING), http_front.HttpMetrics())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [await client.request(method, path) for method, path in asked]
    return b"".join(str(answer.headers).encode() + answer.content for answer in answers)


@HELD.check(allow_list=patched(logs, "allow", lambda _logger, _method, entry: entry))
def a_log_line_repeats_nothing(_: Contract) -> None:
    """A log line has the fields of the catalogue; what else is handed to a logger is dropped."""
    entry = {"event": LogEvent.SERVICE_STARTED.value, "value": CANARIES.at("a field"), "level": "info"}
    line = logs.render(None, "info", logs.allow(None, "info", entry))
    assert b"service_started" in line
    assert not CANARIES.in_bytes(line)


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)
