"""What a careless or hostile client sends: canaries where no value belongs, over HTTP and as records of its own inbox.

The same seed gives the same requests, but for the canaries and for ids.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from schemas.attributes import STRUCTURED
from tests import http_side, speech
from tests.canaries import CPRS, Canaries

ATTRIBUTES = ("specversion", "id", "source", "type", "time", "datacontenttype", "subject", "dataschema")
TRACE = ("traceparent", "tracestate", "correlationid", "causationid", "recordedtime", "salt", "contract", "withheld")
HEADERS = (
    *("User-Agent", "Referer", "Cookie", "Content-Type", "Content-Encoding", "Accept", "Accept-Language", "Prefer"),
    *("Host", "X-Forwarded-For", "X-Request-Id", "traceparent", "tracestate", "baggage", "If-None-Match", "Origin"),
    *("Last-Event-ID", "Forwarded", "Expect", "Range"),
)
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, said by a party that is signed in."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Inboxed:
    """One record that a party writes into its own inbox."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]]


def requests(canaries: Canaries, party: str, seed: int) -> Iterator[Request]:
    """Yield the requests."""
    for name, event in _events(canaries, party):
        yield _said(event)
        yield _said(event, Prefer="wait=5") if name == "data" else _binary(event)
    for number, text in enumerate(_broken(canaries, party, Random(seed))):  # noqa: S311 - it draws test data
        yield Request("POST", "/events", {"Content-Type": (STRUCTURED, JSON)[number % 2]}, text)
    yield from _elsewhere(canaries)
    yield from _headed(canaries, party)
    yield from _deposits(canaries)


def records(canaries: Canaries, party: str, seed: int) -> Iterator[Inboxed]:
    """Yield the records."""
    structured: list[tuple[str, str | bytes | None]] = [("content-type", STRUCTURED.encode())]
    for name, event in _events(canaries, party):
        yield Inboxed(canaries.at(f"key beside {name}").encode(), json.dumps(event).encode(), structured)
        yield Inboxed(None, json.dumps(event["data"]).encode(), _headers(event))
    for text in _broken(canaries, party, Random(seed)):  # noqa: S311 - it draws test data
        yield Inboxed(None, text, structured)
        yield Inboxed(canaries.at("key").encode(), text, [])
    good = _good(party)
    yield Inboxed(b"k", json.dumps(good).encode(), [*structured, (canaries.at("name of a header"), b"x")])
    yield Inboxed(b"k", None, [("ce_id", canaries.at("header of a tombstone").encode())])


def _good(party: str) -> dict[str, Any]:
    return http_side.structured(speech.concern(party, str(uuid4())))


def _events(canaries: Canaries, party: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an event with a canary in each of its places, and by each name that it does not have."""
    for name in (*ATTRIBUTES, *TRACE, "data", "note"):
        yield name, {**_good(party), name: canaries.at(f"attribute {name}")}
    good = _good(party)
    for name in (*good["data"], "narrative", "notifier", "religion"):
        yield name, {**good, "data": {**good["data"], name: canaries.at(f"field {name}")}}
        nested = {"a": [canaries.at(f"inside {name}"), CPRS[0]]}
        yield name, {**good, "data": {**good["data"], name: nested}}
    yield "name", {**good, canaries.at("name of an attribute"): 1}
    yield "name", {**good, "data": {**good["data"], canaries.at("name of a field"): CPRS[1]}}
    yield "subject", {**good, "subject": CPRS[2]}
    yield "id", {**good, "id": CPRS[3]}


def _broken(canaries: Canaries, party: str, chance: Random) -> Iterator[bytes]:
    """Yield texts that are no event, or one with something in it that does not belong."""
    for _ in range(60):
        good = json.dumps(_good(party)).encode()
        place, cut = chance.randrange(len(good)), chance.randrange(40)
        yield good[:place] + canaries.at("within an event").encode() + good[place + cut :]
    whole = json.dumps({**_good(party), "note": canaries.at("a broken event")})
    yield whole[:-7].encode()
    yield whole.encode("utf-16")
    yield b"\xff\xfe" + whole.encode() + b"\0"
    yield f"[{whole}]".encode()
    yield (f'{{"{canaries.at("a deep event")}":' * 2_000 + "1" + "}" * 2_000).encode()
    yield whole.replace('"data":', f'"id": "{canaries.at("an id said twice")}", "data":').encode()
    yield (whole[:-1] + ', "padding": "' + canaries.at("a large event") * 3_000 + '"}').encode()


def _said(event: dict[str, Any], **headers: str) -> Request:
    return Request("POST", "/events", {"Content-Type": STRUCTURED, **headers}, json.dumps(event).encode())


def _binary(event: dict[str, Any]) -> Request:
    said = {name: value for name, value in event.items() if name != "data" and isinstance(value, str)}
    headers = {f"ce-{name}": value for name, value in said.items() if name != "datacontenttype"}
    content_type = said.get("datacontenttype", JSON)
    return Request("POST", "/events", {**headers, "Content-Type": content_type}, json.dumps(event["data"]).encode())


def _headers(event: dict[str, Any]) -> list[tuple[str, str | bytes | None]]:
    said = ((name, str(value).encode()) for name, value in event.items() if name != "data")
    return [("content-type" if name == "datacontenttype" else f"ce_{name}", value) for name, value in said]


def _elsewhere(canaries: Canaries) -> Iterator[Request]:
    for path in ("/{}", "/events/{}", "/vault/{}", "/static/{}/{}", "/static/1/{}", "/overview/{}", "/views/{}"):
        yield Request("GET", path.format(*[canaries.at(f"path {path}")] * path.count("{}")))
    for path in (
        "/views?after={}",
        "/views?wait={}",
        "/overview?{}=1",
        "/?token={}",
        "/metrics?{}",
        "/openapi.json?{}",
    ):
        yield Request("GET", path.format(canaries.at(f"query {path}")))
    yield Request("GET", "/events/" + quote(f"æøå {canaries.at('an encoded path')}\n", safe=""))
    yield Request("GET", f"/vault/{uuid4()}?case={canaries.at('query of a read')}")
    yield Request(canaries.at("a method").upper(), "/events")
    yield Request("POST", "/session", {"Content-Type": "application/x-www-form-urlencoded"},
                  f"token={canaries.at('a form')}".encode())  # fmt: skip


def _headed(canaries: Canaries, party: str) -> Iterator[Request]:
    for name in HEADERS:
        said = _said(_good(party))
        changed = {**said.headers, name: canaries.at(f"header {name}")}
        yield Request("POST", "/events", changed, said.content)
        yield Request("GET", "/views", {name: canaries.at(f"header {name} of a read")})
    for scheme in ("Bearer", "Basic", "Digest"):
        yield Request("GET", "/views", {"Authorization": f"{scheme} {canaries.at(f'credentials {scheme}')}"})
        yield Request("GET", "/overview", {"Authorization": f"{scheme} {canaries.at(f'credentials {scheme}')}"})
    yield Request("GET", "/", {"Cookie": f"samspil={canaries.at('a cookie')}; session={canaries.at('a session')}"})


def _deposits(canaries: Canaries) -> Iterator[Request]:
    """Yield deposits that are refused: what they hold must not be kept either."""
    case, ref = str(uuid4()), str(uuid4())
    body = json.dumps(canaries.at("a refused deposit")).encode()
    for path in (
        f"/vault/{canaries.at('a reference')}?case={case}&field=person",
        f"/vault/{ref}?case={canaries.at('a case')}&field=person",
        f"/vault/{ref}?case={case}&field={canaries.at('a field')}",
        f"/vault/{ref}?case={case}",
    ):
        yield Request("PUT", path, {"Content-Type": JSON}, body)
    path = f"/vault/{ref}?case={case}&field=person"
    yield Request("PUT", path, {"Content-Type": canaries.at("content type of a deposit")}, body)
    yield Request("PUT", path, {"Content-Type": JSON}, body[:-1])
