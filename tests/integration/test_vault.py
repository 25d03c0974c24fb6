"""The vault on real Kafka and PostgreSQL: what is at rest, who may read, and the receipt that comes first."""

from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from consumers.runner import started
from deploy import web
from schemas import topics
from schemas.identity import Role
from tests import http_side, speech
from tests.brokers import RunningKafka, RunningPostgres
from tests.http_side import HttpSide
from tests.waiting import eventually

CPR = "251248-9996"
PERSON = {"name": "Testperson B", "cpr": CPR}


def at(ref: str) -> str:
    return f"/vault/{ref.removeprefix('vault:')}"


async def a_case(side: HttpSide) -> speech.Saying:
    """A concern of buf's, screened by ku into sof's hands."""
    concern = speech.concern("buf", str(uuid4()))
    await http_side.tell(side, concern, person=PERSON)
    grounds = speech.vault_ref()
    await http_side.tell(
        side,
        speech.say("ku", "concern-screened", concern.case, outcome="own_administration", owner="sof", grounds=grounds),
    )
    return concern


async def receipts(side: HttpSide, after: int) -> list[dict[str, object]]:
    found = await side.records(topics.LEDGER, topics.VAULT_PARTITION, after)
    return [orjson.loads(record.value or b"") for record in found]


async def test_a_deposit_is_made_once_and_never_changed(side: HttpSide) -> None:
    client, ref = side.party("buf"), at(str(uuid4()))
    place = {"case": str(uuid4()), "field": "person"}
    assert (await client.put(ref, json=PERSON, params=place)).status_code == 201
    assert (await client.put(ref, json=PERSON, params=place)).status_code == 204
    reordered = b'{ "cpr": "251248-9996", "name": "Testperson B" }'
    as_json = {"Content-Type": "application/json"}
    assert (await client.put(ref, content=reordered, params=place, headers=as_json)).status_code == 204
    for answer in (
        await client.put(ref, json={**PERSON, "name": "B"}, params=place),
        await client.put(ref, json=PERSON, params={**place, "field": "signs"}),
        await client.put(ref, json=PERSON, params={**place, "case": str(uuid4())}),
        await side.party("sof").put(ref, json=PERSON, params=place),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:samspil:problem:conflict")
        assert CPR not in answer.text


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b'"\\ud800"', "application/json", 400),
        (b'"\\u0000"', "application/json", 400),
        (b"NaN", "application/json", 400),
        (b"[" * 5000 + b"]" * 5000, "application/json", 400),
        (b"", "application/json", 400),
        (b'"' + b"x" * 256 * 1024 + b'"', "application/json", 413),
        (b"{}", "text/plain", 415),
    ],
)
async def test_what_is_no_value_is_not_deposited(side: HttpSide, body: bytes, content_type: str, status: int) -> None:
    client, ref = side.party("buf"), uuid4()
    place = {"case": str(uuid4()), "field": "person"}
    answer = await client.put(f"/vault/{ref}", content=body, params=place, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    owner = await side.owner()
    assert await owner.fetchval("SELECT count(*) FROM vault.deposits WHERE ref = $1", ref) == 0
    await owner.close()


async def test_case_and_field_must_be_ones(side: HttpSide) -> None:
    client = side.party("buf")
    for place, fault in (
        ({"case": CPR, "field": "person"}, "/query/case"),
        ({"case": "6a0c7ab1-5bf2-1f0f-9a52-0b8a6f6a6c7e", "field": "person"}, "/query/case"),
        ({"case": str(uuid4()), "field": "age_band"}, "/query/field"),
        ({"case": str(uuid4()), "field": CPR}, "/query/field"),
        ({"case": str(uuid4())}, "/query/field"),
    ):
        answer = await client.put(at(str(uuid4())), json=PERSON, params=place)
        assert answer.status_code == 400
        assert answer.json()["paths"] == [fault]
        assert CPR not in answer.text


async def test_nothing_of_a_value_is_readable_at_rest(side: HttpSide) -> None:
    client = side.party("buf")
    place = {"case": str(uuid4()), "field": "person"}
    ref = uuid4()
    await client.put(f"/vault/{ref}", json=PERSON, params=place)
    owner = await side.owner()
    row = await owner.fetchrow("SELECT * FROM vault.deposits WHERE ref = $1", ref)
    await owner.close()
    assert row is not None
    assert CPR.encode() not in row["sealed"]
    assert b"Testperson" not in row["sealed"]


async def test_a_value_moved_to_another_reference_does_not_open(side: HttpSide) -> None:
    concern = await a_case(side)
    person, signs = concern.data["person"], concern.data["signs"]
    owner = await side.owner()
    moved = (
        "UPDATE vault.deposits SET (sealed, nonce) = (SELECT sealed, nonce FROM vault.deposits WHERE ref = $1)"
        " WHERE ref = $2"
    )
    await owner.execute(moved, person.removeprefix("vault:"), signs.removeprefix("vault:"))
    await owner.close()
    answer = await side.party("sof").get(at(signs))
    assert answer.status_code == 500
    assert CPR not in answer.text


async def test_whom_it_was_released_to_reads_it_and_leaves_a_receipt(side: HttpSide) -> None:
    concern = await a_case(side)
    actor = uuid4()
    before = await side.end(topics.LEDGER, topics.VAULT_PARTITION)
    client = side.client(side.token("sof", Role.RECEIVE, actor=actor))
    answer = await client.get(at(concern.data["person"]))
    assert (answer.status_code, answer.json()) == (200, PERSON)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    (receipt,) = await receipts(side, before)
    assert (receipt["outcome"], receipt["recipient"], receipt["subject"]) == ("read", "sof", concern.case)
    assert (receipt["actor"], receipt["refs"], receipt["rules"]) == (str(actor), ["person"], ["screened-owner"])
    assert receipt["contract"] == side.contracts.newest.digest
    assert CPR not in str(receipt)


async def test_the_depositor_reads_its_own(side: HttpSide) -> None:
    concern = await a_case(side)
    assert (await side.party("buf").get(at(concern.data["person"]))).json() == PERSON


async def test_refused_and_unknown_look_alike_and_both_leave_a_receipt(side: HttpSide) -> None:
    concern = await a_case(side)
    before = await side.end(topics.LEDGER, topics.VAULT_PARTITION)
    politi = side.party("politi")
    refused, unknown = await politi.get(at(concern.data["person"])), await politi.get(at(str(uuid4())))
    assert refused.status_code == unknown.status_code == 403
    assert refused.content == unknown.content
    assert {*refused.headers.items()} == {*unknown.headers.items()}
    found = await receipts(side, before)
    assert [receipt["outcome"] for receipt in found] == ["read_refused", "read_refused"]
    assert [receipt["subject"] for receipt in found] == [concern.case, None]


async def test_who_was_shown_it_and_may_no_longer_read_is_told_the_gate(side: HttpSide) -> None:
    concern = await a_case(side)
    assert (await side.party("sof").get(at(concern.data["person"]))).status_code == 200
    await http_side.tell(
        side, speech.say("buf", "correction-issued", concern.case, corrects=concern.id, reason="wrong_subject")
    )
    answer = await side.party("sof").get(at(concern.data["person"]))
    assert (answer.status_code, answer.json()["reason"]) == (403, "corrected")


async def test_a_read_needs_the_role_and_an_actor(side: HttpSide) -> None:
    concern = await a_case(side)
    ref = at(concern.data["person"])
    assert (await side.client().get(ref)).status_code == 401
    assert (await side.client(side.token("sof", Role.PUBLISH, actor=uuid4())).get(ref)).status_code == 403
    assert (await side.client(side.token("sof", Role.RECEIVE)).get(ref)).status_code == 403


async def test_no_byte_leaves_while_the_read_model_is_behind(
    side: HttpSide, kafka: RunningKafka, postgres: RunningPostgres, tmp_path: Path
) -> None:
    async with http_side.own_database(postgres) as dsns:
        waits = web.Waits(vault=0.3)
        async with http_side.serving(kafka, dsns, tmp_path, waits) as apart:
            concern = speech.concern("buf", str(uuid4()))
            await http_side.tell(side, concern)
            await http_side.deposit(apart.party("buf"), concern, person=PERSON)
            before = await side.end(topics.LEDGER, topics.VAULT_PARTITION)
            answer = await apart.party("buf").get(at(concern.data["person"]))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert CPR not in answer.text
            async with http_side.projecting(kafka, dsns["projector"]):

                async def read() -> bool:
                    answer = await apart.party("buf").get(at(concern.data["person"]))
                    return answer.status_code == 200 and bool(answer.json() == PERSON)

                await eventually(read)
            assert len(await receipts(side, before)) == 1


async def test_a_read_waits_for_no_transaction_under_way_but_for_all_that_are_committed(
    side: HttpSide, kafka: RunningKafka
) -> None:
    concern = await a_case(side)
    key = (concern.case or "").encode()
    access = kafka.access().aiokafka()
    async with started(AIOKafkaProducer(**access, transactional_id="samspil.test.vault")) as producer:
        await producer.begin_transaction()
        partition = topics.partition_of(key)
        await (await producer.send(topics.CASES, b"{}", str(uuid4()).encode(), partition))
        assert (await side.party("sof").get(at(concern.data["person"]))).status_code == 200
        await producer.abort_transaction()
    assert (await side.party("sof").get(at(concern.data["person"]))).status_code == 200


async def test_an_erased_case_has_no_value_left_and_takes_none(side: HttpSide) -> None:
    """The owner answers a request for erasure; the case's next event finds it erased."""
    concern = await a_case(side)
    asked = speech.say("sof", "rights-request-received", concern.case, article="17", received_on="2026-03-02")
    await http_side.tell(side, asked)
    await http_side.tell(side, speech.say("sof", "rights-request-answered", concern.case, request=asked.id))
    late = await http_side.say(side.party("sof"), speech.say("sof", "case-closed", concern.case, outcome="resolved"))
    assert (late.status_code, late.json()["reason"]) == (422, "unknown_case")
    owner = await side.owner()

    async def left() -> bool:
        counted = await owner.fetchval('SELECT count(*) FROM vault.deposits WHERE "case" = $1', concern.case)
        return int(counted) == 0

    await eventually(left)
    assert await owner.fetchval('SELECT count(*) FROM vault.case_keys WHERE "case" = $1', concern.case) == 0
    await owner.close()
    person = concern.data["person"]
    assert (await side.party("sof").get(at(person))).status_code == 403
    place = {"case": concern.case or "", "field": "person"}
    answer = await side.party("buf").put(at(person), json=PERSON, params=place)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:samspil:problem:erased-case")
    told = await side.party("sof").get(f"/events/{asked.id}")
    assert told.status_code == 404
