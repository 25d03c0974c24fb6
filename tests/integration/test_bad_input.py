"""Whatever is wrong gets its reason; nothing else changes, and no value of it is in any reply, log or topic."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from aiokafka import TopicPartition
from joserfc import jwt

from deploy import logs, tokens
from schemas import topics
from schemas.attributes import STRUCTURED
from schemas.identity import Role
from tests import http_side, speech
from tests.brokers import RunningKafka, RunningPostgres, parties
from tests.http_side import HttpSide

CPRS = ("251248-9996", "150981-9996", "291182-9996", "021122-3989")
CPR = CPRS[0]
STRUCTURED_HEADERS = {"Content-Type": STRUCTURED}
ATTRIBUTES = ("specversion", "id", "source", "type", "time", "datacontenttype", "subject")
TRACE = ("traceparent", "correlationid", "causationid", "dataschema")
FIELDS = tuple(speech.concern("buf", "").data)


@dataclass
class Watched:
    """The HTTP side with everything that it writes."""

    side: HttpSide
    logs: tuple[Path, ...]

    def logged(self) -> str:
        return "".join(path.read_text() for path in self.logs)


@pytest.fixture(scope="module")
def web_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This process logs as `web` does, into a file."""
    path: Path = tmp_path_factory.mktemp("logs") / "web.log"
    before = structlog.get_config()
    with path.open("wb") as file, logs.configure("web", file.fileno(), for_ever=False):
        yield path
        structlog.configure(**before)


@pytest.fixture(scope="module")
async def watched(
    kafka: RunningKafka, postgres: RunningPostgres, web_log: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    folder: Path = tmp_path_factory.mktemp("web")
    worker_log = folder / "worker.log"
    with http_side.worker(kafka, worker_log):
        async with (
            http_side.own_database(postgres) as dsns,
            http_side.projecting(kafka, dsns["projector"]),
            http_side.serving(kafka, dsns, folder) as opened,
        ):
            yield Watched(opened, (web_log, worker_log))


async def ends(side: HttpSide) -> dict[str, int]:
    """How much every topic holds, but for refusals: only they may grow."""
    places = [
        TopicPartition(topic.name, partition)
        for topic in topics.catalogue(parties())
        for partition in range(topic.partitions)
        if not topic.name.startswith("samspil.refusals.")
    ]
    return {f"{place.topic}/{place.partition}": end for place, end in (await side.ends(places)).items()}


async def rows(side: HttpSide) -> int:
    owner = await side.owner()
    try:
        return int(await owner.fetchval("SELECT count(*) FROM vault.deposits"))
    finally:
        await owner.close()


def tell_nothing(answers: list[httpx.Response]) -> None:
    for answer in answers:
        written = answer.text + str(answer.headers)
        assert not any(cpr in written or cpr.replace("-", "") in written for cpr in CPRS)


async def refusals(side: HttpSide) -> str:
    found = [record for party in ("buf", "ku") for record in await side.records(topics.refusals(party))]
    return str(found)


def altered(event: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**event, name: value}


def concern() -> dict[str, Any]:
    return http_side.structured(speech.concern("buf", str(uuid4())))


def raw_bodies() -> list[tuple[bytes, str]]:
    """Bodies that no serialiser writes, and why each is refused."""
    good = json.dumps(concern())
    return [
        (good[:-10].encode(), "bad_envelope"),
        (b"", "bad_envelope"),
        (b"[" + good.encode() + b"]", "bad_envelope"),
        (good.encode() + b"\0", "bad_envelope"),
        (good.encode("utf-16"), "bad_envelope"),
        (b"\xff" + good.encode(), "bad_envelope"),
        (good.replace('"data":', f'"id": "{CPR}", "data":').encode(), "bad_envelope"),
        (good.replace('"age_band": "18_24"', '"age_band": "18_24\\u0000"').encode(), "schema"),
        (good.replace('"age_band": "18_24"', '"age_band": "\\ud800"').encode(), "schema"),
        (good.replace('"age_band": "18_24"', '"age_band": "18_24", "age_band": "18_24"').encode(), "schema"),
        (good.replace('"tier_1_signs": 1', '"tier_1_signs": 1e999').encode(), "schema"),
        (good.replace('"tier_1_signs": 1', '"tier_1_signs": ' + "9" * 500).encode(), "schema"),
        (good.replace('"age_band": "18_24"', '"age_band": ' + "[" * 9_000 + "]" * 9_000).encode(), "bad_envelope"),
    ]


@pytest.mark.parametrize("number", range(len(raw_bodies())))
async def test_bytes_that_are_no_event(watched: Watched, number: int) -> None:
    body, reason = raw_bodies()[number]
    answer = await watched.side.party("buf").post("/events", content=body, headers=STRUCTURED_HEADERS)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_65_kib_are_too_much_in_both_modes(watched: Watched) -> None:
    client = watched.side.party("buf")
    saying = speech.concern("buf", str(uuid4()), age_band="x" * 65 * 1024)
    binary = {name.replace("ce_", "ce-"): text.decode() for name, text in saying.headers}
    answers = [
        await client.post("/events", content=saying.value, headers=binary),
        await client.post("/events", json=http_side.structured(saying), headers=STRUCTURED_HEADERS),
        await client.post("/events", content=b"x" * 10_000_000, headers=STRUCTURED_HEADERS),
    ]
    assert [answer.status_code for answer in answers] == [413] * 3
    assert {answer.json()["reason"] for answer in answers} == {"too_large"}
    assert answers[0].json()["id"] == answers[1].json()["id"] == saying.id


async def test_a_number_in_every_place_gets_a_reason_and_leaves_no_trace(watched: Watched) -> None:
    side, client = watched.side, watched.side.party("buf")
    before, deposits = await ends(side), await rows(side)
    event = concern()
    answers = [
        await client.post("/events", json=altered(event, name, CPRS[number % 4]), headers=STRUCTURED_HEADERS)
        for number, name in enumerate([*ATTRIBUTES, *TRACE, "cpr", CPR, "data"])
        if name != "dataschema"  # any URI reference; taken and dropped
    ]
    answers += [
        await client.post(
            "/events",
            json=altered(event, "data", {**event["data"], name: CPRS[number % 4]}),
            headers=STRUCTURED_HEADERS,
        )
        for number, name in enumerate([*FIELDS, "narrative", "cpr", CPR, "notifier"])
    ]
    binary = {f"ce-{name}": text for name, text in event.items() if name not in {"data", "datacontenttype"}}
    binary["Content-Type"] = "application/json"
    data = json.dumps(event["data"])
    answers += [
        await client.post("/events", content=data, headers={**binary, f"ce-{name}": CPR})
        for name in (*ATTRIBUTES, "traceparent", "correlationid", "cpr", CPR)
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["reason"] for answer in answers} <= {
        "bad_envelope",
        "not_your_source",
        "unknown_type",
        "schema",
    }
    elsewhere = [
        await client.put(f"/vault/{CPR}", json="x", params={"case": str(uuid4()), "field": "person"}),
        await client.put(f"/vault/{uuid4()}", json="x", params={"case": CPR, "field": "person"}),
        await client.put(f"/vault/{uuid4()}", json="x", params={"case": str(uuid4()), "field": CPR}),
        await client.get(f"/vault/{CPR}"),
        await client.get(f"/events/{CPR}"),
        await client.get(f"/views?after={CPR}"),
        await client.get(f"/views?wait={CPR}"),
        await client.get(f"/{CPR}"),
        await client.request(CPR, "/events"),
        await client.get("/overview", headers={"Authorization": f"Bearer {CPR}"}),
        await client.post("/events", content="{}", headers={"Content-Type": CPR}),
    ]
    assert {answer.status_code for answer in elsewhere} <= {400, 401, 404, 405, 415}
    tell_nothing(answers + elsewhere)
    assert await ends(side) == before
    assert await rows(side) == deposits
    told = await refusals(side)
    assert not any(cpr in told for cpr in CPRS)
    assert not any(cpr in watched.logged() for cpr in CPRS)
    counts = (await client.get("/metrics")).text
    assert not any(cpr in counts for cpr in CPRS)


async def test_a_foreign_source_and_what_may_not_be_said(watched: Watched) -> None:
    client = watched.side.party("buf")
    for event, reason in (
        (altered(concern(), "source", "urn:samspil:party:sof"), "not_your_source"),
        (altered(concern(), "time", "2999-01-01T00:00:00Z"), "clock_ahead"),
        (altered(concern(), "type", "dk.samspil.person-listed.v1"), "unknown_type"),
        (altered(concern(), "type", "dk.samspil.meeting-cancelled.v1"), "not_a_publisher"),
    ):
        answer = await client.post("/events", json=event, headers=STRUCTURED_HEADERS)
        assert (answer.status_code, answer.json()["reason"]) == (422, reason)


async def test_who_is_nobody_gets_no_further(watched: Watched) -> None:
    side = watched.side
    before = await ends(side)
    expired = side.token("buf", lifetime=timedelta(hours=-1))
    key = tokens.LocalIssuer(side.issuer)._key
    claims = jwt.decode(side.token("buf"), key, algorithms=["Ed25519"]).claims
    stranger = jwt.encode({"alg": "Ed25519"}, {**claims, "sub": CPR}, key, algorithms=["Ed25519"])
    elsewhere = jwt.encode({"alg": "Ed25519"}, {**claims, "aud": CPR}, key, algorithms=["Ed25519"])
    for token in (expired, stranger, elsewhere, CPR, None):
        answer = await side.client(token).post("/events", json=concern(), headers=STRUCTURED_HEADERS)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:samspil:problem:unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        tell_nothing([answer])
    without = side.client(side.token("buf", Role.RECEIVE))
    answer = await without.post("/events", json=concern(), headers=STRUCTURED_HEADERS)
    assert answer.status_code == 403
    assert await ends(side) == before
    assert CPR not in watched.logged()


async def test_one_bad_event_among_many_changes_nothing_for_the_others(watched: Watched) -> None:
    client = watched.side.party("ku")
    verdicts = []
    for number in range(40):  # each its own request: a batch is not taken
        event = http_side.structured(speech.activity("ku"))
        if number == 20:
            event["data"]["participants"] = CPR
        answer = await client.post("/events", json=event, headers={**STRUCTURED_HEADERS, "Prefer": "wait=20"})
        verdicts.append(answer.json()["verdict"])
    assert verdicts == ["accepted"] * 20 + ["refused"] + ["accepted"] * 19
    assert CPR not in watched.logged()
