"""Errors over HTTP: always a problem, never a value of the input, and an OpenAPI document that says so."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import orjson
import pytest
from fastapi import APIRouter, Depends, Query

from consumers import vault_routes, views_routes
from deploy import http_app
from deploy.http_front import SECURITY_HEADERS, HttpMetrics
from deploy.readiness import Readiness
from deploy.sign_in import guarding
from deploy.tokens import InvalidTokenError
from producers import gateway
from schemas.errors import UnreachableError
from schemas.identity import Identity, Role
from schemas.problems import MEDIA_TYPE, Kind, Problem, ProblemError, refused, unavailable
from schemas.verdicts import Refusal

CPR = "251248-9996"


class OneToken:
    """Believes one token; asked for another it says so, or that it cannot tell."""

    async def verify(self, token: str) -> Identity:
        if token == "away":
            raise UnreachableError
        if token != "sof":
            raise InvalidTokenError
        return Identity("sof", frozenset({Role.PUBLISH}))


GUARD = guarding(OneToken())


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/fails")
    async def fail() -> str:
        raise RuntimeError(CPR)

    @router.get("/away")
    async def away() -> str:
        raise UnreachableError("a place")

    @router.get("/needs")
    async def need(number: Annotated[int, Query()]) -> int:
        return number

    @router.get("/publishers")
    async def publishers(identity: Annotated[Identity, Depends(GUARD(Role.PUBLISH))]) -> str:
        return identity.party

    @router.get("/receivers")
    async def receivers(identity: Annotated[Identity, Depends(GUARD(Role.RECEIVE))]) -> str:
        return identity.party

    return router


async def nowhere() -> dict[int, int]:
    raise OSError


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = http_app.compose([routes()], Readiness(nowhere, nowhere), HttpMetrics())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", f"/{CPR}", 404, Kind.NOT_FOUND),
        ("GET", f"/needs/?number={CPR}", 404, Kind.NOT_FOUND),  # a redirect would repeat it
        ("POST", "/needs", 405, Kind.METHOD_NOT_ALLOWED),
        ("GET", f"/needs?number={CPR}", 400, Kind.INVALID_REQUEST),
        ("GET", "/fails", 500, Kind.INTERNAL),
        ("GET", "/away", 503, Kind.UNAVAILABLE),
        ("GET", "/publishers", 401, Kind.UNAUTHENTICATED),
    ],
)
async def test_every_error_is_a_problem_without_a_value(
    client: httpx.AsyncClient, method: str, path: str, status: int, kind: Kind
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    body = answer.json()
    assert (body["type"], body["title"], body["status"]) == (kind.uri, kind.title, status)
    assert CPR not in answer.text
    assert "9996" not in str(answer.headers)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == "no-store"


async def test_a_parameter_is_named_by_its_place(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/needs?number={CPR}&{CPR}=1")).json()["paths"] == ["/query/number"]


@pytest.mark.parametrize(
    ("authorization", "path", "status"),
    [
        ("Bearer sof", "/publishers", 200),
        ("Bearer sof", "/receivers", 403),
        ("Bearer another", "/publishers", 401),
        ("Bearer away", "/publishers", 503),
        ("Basic c29mOnNvZg==", "/publishers", 401),
        ("Bearer", "/publishers", 401),
    ],
)
async def test_who_signs_in_how(client: httpx.AsyncClient, authorization: str, path: str, status: int) -> None:
    answer = await client.get(path, headers={"Authorization": authorization})
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_metrics_count_by_route_and_never_by_address(client: httpx.AsyncClient) -> None:
    await client.get(f"/{CPR}")
    await client.get(f"/needs?number={CPR}")
    await client.request(CPR, "/needs")
    counts = (await client.get("/metrics")).text
    assert 'samspil_http_requests_total{method="GET",route="/needs",status="400"} 1.0' in counts
    assert CPR not in counts


async def test_not_ready_says_what_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "broker": False, "projector": False})
    assert (await client.get("/healthz")).status_code == 200


def test_a_refusal_is_a_problem_with_its_verdict() -> None:
    body = refused(Refusal("an id", "schema", ("/data/owner",))).body()
    assert {name: body[name] for name in ("id", "verdict", "reason", "paths", "status")} == {
        "id": "an id",
        "verdict": "refused",
        "reason": "schema",
        "paths": ["/data/owner"],
        "status": 422,
    }
    assert refused(Refusal(None, "too_large")).http_status == 413


def test_members_never_replace_what_a_problem_is() -> None:
    assert Problem(Kind.REFUSED, members={"status": 200, "type": "x"}).body()["status"] == 422


def test_later_says_when() -> None:
    assert isinstance(unavailable("x"), ProblemError)
    assert unavailable("x").headers == {"Retry-After": "1"}


# The routes are described, never called: what they would need stays unset.
NOTHING: Any = None


def document() -> dict[str, Any]:
    made = [
        gateway.router(NOTHING, GUARD),
        vault_routes.router(NOTHING, GUARD, frozenset),
        views_routes.router(NOTHING, GUARD, 30),
    ]
    app = http_app.application(made, Readiness(nowhere, nowhere), HttpMetrics())
    described: dict[str, Any] = orjson.loads(orjson.dumps(app.openapi()))
    return described


def test_the_document_is_complete_and_promises_no_foreign_422() -> None:
    described = document()
    assert described["openapi"].startswith("3.")
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert "HTTPValidationError" not in str(operation)
            if path not in {"/healthz", "/readyz", "/metrics"}:
                assert operation["security"] == [{"bearer": []}], path
                assert {"401", "403", "500"} <= operation["responses"].keys(), path
    say = described["paths"]["/events"]["post"]
    assert {"application/cloudevents+json", "application/json"} == say["requestBody"]["content"].keys()
    assert {"200", "202", "413", "415", "422", "503"} <= say["responses"].keys()
    assert say["responses"]["422"]["content"].keys() == {MEDIA_TYPE}
    named = {parameter["name"] for parameter in say["parameters"]}
    assert {"Prefer", "ce-id", "ce-source", "ce-subject"} <= named
    put = described["paths"]["/vault/{uuid}"]["put"]
    assert {parameter["name"] for parameter in put["parameters"]} == {"uuid", "case", "field"}
    assert {"201", "204", "409", "413", "415"} <= put["responses"].keys()


def test_every_reference_of_the_document_leads_somewhere() -> None:
    described = document()
    for name in re.findall(r"#/components/schemas/([A-Za-z]+)", str(described)):
        assert name in described["components"]["schemas"]
