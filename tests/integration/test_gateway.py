"""The gateway on real Kafka and PostgreSQL, with the worker behind it."""

import asyncio
import json
from uuid import uuid4

import orjson

from schemas import topics
from schemas.attributes import STRUCTURED
from tests import http_side, speech
from tests.http_side import HttpSide
from tests.waiting import eventually


async def test_an_event_is_said_structured_and_its_verdict_is_the_answer(side: HttpSide) -> None:
    concern = speech.concern("buf", str(uuid4()))
    client = side.party("buf")
    await http_side.deposit(client, concern)
    answer = await http_side.say(client, concern)
    assert answer.status_code == 200
    assert answer.json() == {"id": concern.id, "verdict": "accepted", "withheld": []}
    assert (await client.get(f"/events/{concern.id}")).json() == answer.json()
    assert (await side.party("sof").get(f"/events/{concern.id}")).status_code == 404


async def test_an_event_is_said_binary_and_answered_when_the_broker_has_it(side: HttpSide) -> None:
    activity = speech.activity("ku")
    client = side.party("ku")
    attributes = {f"ce-{name.removeprefix('ce_')}": text.decode() for name, text in activity.headers}
    attributes["Content-Type"] = attributes.pop("ce-content-type")
    answer = await client.post("/events", content=activity.value, headers=attributes)
    assert answer.status_code == 202
    assert answer.json() == {"id": activity.id, "verdict": "pending"}

    async def accepted() -> bool:
        found = await client.get(f"/events/{activity.id}")
        return found.status_code == 200 and found.json()["verdict"] == "accepted"

    await eventually(accepted)


async def test_what_admission_refuses_never_reaches_the_inbox(side: HttpSide) -> None:
    inbox, refusals = await side.end(topics.inbox("buf")), await side.end(topics.refusals("buf"))
    concern = speech.concern("buf", str(uuid4()), age_band="old", religion="none")
    answer = await http_side.say(side.party("buf"), concern)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["id"], body["verdict"], body["reason"]) == (concern.id, "refused", "schema")
    assert body["paths"] == ["/data", "/data/age_band"]
    assert await side.end(topics.inbox("buf")) == inbox
    told = await side.records(topics.refusals("buf"), after=refusals)
    assert [orjson.loads(record.value or b"")["reason"] for record in told] == ["schema"]
    client = side.party("buf")

    async def kept() -> bool:
        return (await client.get(f"/events/{concern.id}")).status_code == 200

    await eventually(kept)


async def test_references_must_be_deposited_by_this_party_for_this_case_and_field(side: HttpSide) -> None:
    concern = speech.concern("buf", str(uuid4()))
    client = side.party("buf")
    answer = await http_side.say(client, concern)
    assert answer.json()["reason"] == "unknown_ref"
    assert answer.json()["paths"] == ["/data/person", "/data/signs"]
    await http_side.deposit(client, concern)
    swapped = {**concern.data, "person": concern.data["signs"], "signs": concern.data["person"]}
    assert (await http_side.say(client, concern, data=swapped)).json()["reason"] == "unknown_ref"
    elsewhere = await http_side.say(client, concern, subject=str(uuid4()))
    assert elsewhere.json()["reason"] == "unknown_ref"
    assert (await http_side.say(client, concern)).status_code == 200, "a refused id may be said again"


async def test_the_case_refuses_and_the_wait_is_for_this_submission(side: HttpSide) -> None:
    case = str(uuid4())
    client = side.party("buf")
    await http_side.tell(side, speech.concern("buf", case))
    talk = speech.say("buf", "conversation-held", str(uuid4()), held_on="2026-01-15", outcome="continued")
    answer = await http_side.say(client, talk)
    assert (answer.status_code, answer.json()["reason"]) == (422, "unknown_case")
    assert answer.headers["preference-applied"] == "wait=20"
    again = await http_side.say(client, talk, subject=case)
    assert (again.status_code, again.json()["verdict"]) == (200, "accepted")
    twice = await http_side.say(client, talk, subject=case)
    assert (twice.status_code, twice.json()["duplicate"]) == (200, True)
    refused = await http_side.say(client, talk, subject=case, type="dk.samspil.no-such-event.v1")
    assert refused.status_code == 422
    assert (await client.get(f"/events/{talk.id}")).json() == again.json(), (
        "an acceptance stands whatever is said after"
    )


async def test_a_wait_that_takes_too_long_is_answered_as_pending(side: HttpSide) -> None:
    answer = await http_side.say(side.party("ku"), speech.activity("ku"), wait=0)
    assert (answer.status_code, answer.json()["verdict"]) == (202, "pending")
    assert answer.headers["location"] == f"/events/{answer.json()['id']}"


async def test_many_wait_at_once_and_each_gets_its_own_verdict(side: HttpSide) -> None:
    client = side.party("vink")
    sayings = [speech.activity("vink") for _ in range(50)]
    answers = await asyncio.gather(*(http_side.say(client, saying) for saying in sayings))
    assert [answer.json()["id"] for answer in answers] == [saying.id for saying in sayings]
    assert {answer.json()["verdict"] for answer in answers} == {"accepted"}


async def test_a_batch_and_other_content_types_are_not_taken(side: HttpSide) -> None:
    client = side.party("ku")
    event = json.dumps(http_side.structured(speech.activity("ku")))
    for content_type in ("application/cloudevents-batch+json", "text/plain", "", f"{STRUCTURED}; charset=utf-16"):
        answer = await client.post("/events", content=event, headers={"Content-Type": content_type})
        assert answer.status_code == 415
        assert answer.headers["content-type"] == "application/problem+json"


async def test_ready_and_healthy_and_counted(side: HttpSide) -> None:
    client = side.client()
    assert (await client.get("/healthz")).text == "ok\n"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"database": True, "broker": True, "projector": True})
    await client.get(f"/events/{uuid4()}")
    counts = (await client.get("/metrics")).text
    assert 'samspil_http_requests_total{method="GET",route="/events/{id}",status="401"}' in counts


async def test_the_listener_that_is_cut_off_comes_back_and_misses_nothing(side: HttpSide) -> None:
    owner = await side.owner()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway'"
    client = side.party("ku")
    answers = []
    for _ in range(3):
        saying = asyncio.create_task(http_side.say(client, speech.activity("ku")))
        await owner.execute(cut)
        answers.append(await saying)
    await owner.close()
    # Cut off before it was acknowledged: later. Afterwards: its verdict, all the same.
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert (await http_side.say(client, speech.activity("ku"))).status_code == 200


async def test_without_the_database_an_event_is_taken_and_its_verdict_pending(side: HttpSide) -> None:
    owner = await side.owner()
    await owner.execute("ALTER ROLE gateway NOLOGIN")
    try:
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway'")
        activity = speech.activity("ku")
        answer = await http_side.say(side.party("ku"), activity, wait=1)
        assert (answer.status_code, answer.json()["verdict"]) == (202, "pending")
        asked = await side.party("ku").get(f"/events/{activity.id}")
        assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
        referring = await http_side.say(side.party("buf"), speech.concern("buf", str(uuid4())))
        assert referring.status_code == 503
    finally:
        await owner.execute("ALTER ROLE gateway LOGIN")
        await owner.close()
    client = side.party("ku")

    async def told() -> bool:
        return (await client.get(f"/events/{activity.id}")).status_code == 200

    await eventually(told)
