"""Nothing of class 2-4 is anywhere but in the vault: canaries are planted everywhere, and sought everywhere.

The shipped scenario is played with a canary in each deposit; then a client sends canaries wherever no value belongs,
over HTTP and straight into its inbox. What a Kafka client wrote there is gone within seconds.
"""

import asyncio
import contextlib
import json
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from confluent_kafka import Producer

from consumers.kept_records import ends_of, kept
from deploy import tokens
from deploy.cli import reach
from schemas import topics
from schemas.identity import Role
from tests import hostile, http_side, speech
from tests.acceptance.conftest import Stack
from tests.canaries import Canaries
from tests.unit.scenarios import SCENARIOS, contract, expected, lines
from tests.unit.test_objections import ROUTES
from tests.waiting import eventually_sync

NAME = "first-weeks"
PARTY = "buf"
SEED = 20150825
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
PERSON = "the same person in every case"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A stack after all of it, and everything that it answered."""

    stack: Stack
    canaries: Canaries
    verdicts: list[dict[str, Any]]
    told: dict[str, bytes]
    deposits: list[dict[str, Any]] = field(default_factory=list)

    def token(self, party: str, *roles: Role) -> dict[str, str]:
        known = contract().parties
        made = tokens.mint(self.stack.settings.issuer_folder, party, roles, parties=known, actor=uuid4())
        return {"Authorization": f"Bearer {made}"}

    def client(self, party: str, *roles: Role) -> httpx.Client:
        return httpx.Client(base_url=self.stack.url, headers=self.token(party, *roles), timeout=30)


@pytest.fixture(scope="module")
def aftermath(start: Callable[[str], Stack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    canaries = Canaries()
    stack = start("canaries")
    story = list(_planted(canaries))
    file: Path = tmp_path_factory.mktemp("story") / "story.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in story))
    run = stack.samspil("scenario", "play", file, "--json", seconds=120)
    after = Aftermath(stack, canaries, [json.loads(line) for line in run.stdout.splitlines()], {})
    after.told["scenario play"] = (run.stdout + run.stderr).encode()
    after.deposits.extend(line["deposit"] for line in story if "deposit" in line)
    _send_into_the_inbox(after)
    _ask(after)
    _ask_without_a_client(after)
    _look(after)
    yield after
    stack.samspil("down")  # what idles beside them slows the tests after


def _planted(canaries: Canaries) -> Iterator[dict[str, Any]]:
    """The shipped scenario, with canaries in each deposit; of the person the same in all."""
    person = {"name": canaries.at(PERSON), "cpr": "251248-9996"}
    for line in lines(SCENARIOS / f"{NAME}.jsonl"):
        if "deposit" in line:
            name = line["deposit"]["field"]
            text = {"text": canaries.at(f"deposit {name}"), canaries.at(f"key in {name}"): [canaries.at(name)]}
            line["deposit"]["value"] = person if name == "person" else text
        yield line


def _send_into_the_inbox(after: Aftermath) -> None:
    access = after.stack.settings.kafka(PARTY).librdkafka()
    clients = [
        Producer({**access, "client.id": after.canaries.at("client id"), "compression.type": codec}) for codec in CODECS
    ]
    for number, record in enumerate(hostile.records(after.canaries, PARTY, SEED)):
        client = clients[number % len(clients)]
        client.produce(topics.inbox(PARTY), record.value, record.key, partition=0, headers=[*record.headers])
    assert [client.flush(30) for client in clients] == [0] * len(clients)


def _ask(after: Aftermath) -> None:
    """Ask everything over HTTP, and keep the answers. What is right stands between, so that all of it is served."""
    statuses: dict[int, int] = defaultdict(int)
    with after.client(PARTY, Role.PUBLISH, Role.RECEIVE) as client:
        for number, asked in enumerate(hostile.requests(after.canaries, PARTY, SEED)):
            answer = client.request(asked.method, asked.path, headers=asked.headers, content=asked.content)
            statuses[answer.status_code] += 1
            after.told[f"{number} {asked.method} {asked.path}"] = _bytes(answer)
        concern = speech.concern(PARTY, str(uuid4()))
        for name, ref in ((name, ref) for name, ref in concern.data.items() if str(ref).startswith("vault:")):
            place = {"case": concern.case or "", "field": name}
            put = client.put(f"/vault/{ref[6:]}", params=place, json={"text": after.canaries.at(f"deposit {name}")})
            after.told[f"deposit {name}"] = _bytes(put)
        dropped = {"dataschema": f"https://example.org/{after.canaries.at('dataschema of what is accepted')}"}
        headers = {
            "Content-Type": "application/cloudevents+json",
            "Prefer": "wait=20",
            "tracestate": after.canaries.at("a"),
        }
        said = client.post("/events", json={**http_side.structured(concern), **dropped}, headers=headers)
        assert said.json()["verdict"] == "accepted", said.text
        after.told["accepted"] = _bytes(said)
    assert {400, 401, 404, 405, 413, 415, 422} <= statuses.keys(), statuses
    assert 500 not in statuses


def _ask_without_a_client(after: Aftermath) -> None:
    """Send what no HTTP library sends."""
    canary = after.canaries.at
    for raw in (
        f"GET /{canary('request line')} HTTP/9.9\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{canary('a header without a colon')}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nX: {canary('a long header') * 5_000}\r\n\r\n",
        f"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{canary('a chunk')}\r\n",
        f"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: {canary('a length')}\r\n\r\n",
    ):
        with socket.create_connection(after.stack.settings.http_address, timeout=10) as opened:
            after.told[f"raw {raw[:20]}"] = b"".join(_answered(opened, raw.encode()))


def _answered(opened: socket.socket, raw: bytes) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # a server that has heard enough hangs up
        opened.sendall(raw)
        opened.shutdown(socket.SHUT_WR)
    with contextlib.suppress(OSError):
        while part := opened.recv(65_536):
            yield part


def _look(after: Aftermath) -> None:
    """Look at every page, and let the commands say what they say afterwards."""
    with after.client("ku", Role.OVERVIEW, Role.RECEIVE) as ku:
        for path in ("/", "/overview", "/openapi.json", "/metrics", "/healthz", "/readyz", "/views"):
            after.told[f"page {path}"] = _bytes(ku.get(path))
        signed_in = ku.post("/session", data={"token": after.token("ku", Role.OVERVIEW)["Authorization"][7:]})
        assert signed_in.status_code == 303
        after.told["page, signed in"] = _bytes(ku.get("/"))
    for command in (("refusals", "--as", PARTY), ("dead", "list"), ("audit", "verify"), ("status",)):
        run = after.stack.samspil(*command)
        after.told[f"samspil {command[0]}"] = (run.stdout + run.stderr).encode()


def _bytes(answer: httpx.Response) -> bytes:
    return str(answer.headers).encode() + answer.content


def test_the_story_was_told(aftermath: Aftermath) -> None:
    """What is sought was there: each event of the scenario had its verdict, so its deposits had been made."""
    wanted = [(line["id"], line["verdict"] == "refused") for line in expected(NAME)]
    assert [(line["id"], line["verdict"] == "refused") for line in aftermath.verdicts] == wanted
    assert len(aftermath.canaries.planted) > 500
    refusals = aftermath.told["samspil refusals"]
    assert refusals.count(b"schema") + refusals.count(b"bad_envelope") > 150  # what went straight into the inbox


def test_no_answer_and_no_page_repeats_one(aftermath: Aftermath) -> None:
    assert not [(place, hit) for place, told in aftermath.told.items() for hit in aftermath.canaries.in_bytes(told)]


def test_every_route_is_one_that_lists_no_persons(aftermath: Aftermath) -> None:
    with aftermath.client("ku") as client:
        assert client.get("/openapi.json").json()["paths"].keys() <= ROUTES.keys()


def test_no_file_of_any_service_holds_one(aftermath: Aftermath) -> None:
    """The brokers' segments and indexes, the database's tables and its write-ahead log, every log."""
    home = aftermath.stack.home
    places = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    assert {"kafka", "postgres", "logs"} <= places
    eventually_sync(lambda: not aftermath.canaries.in_files(home), timeout=60)


def test_no_record_holds_one(aftermath: Aftermath) -> None:
    """As a client reads them, so that no compression hides one."""
    records = asyncio.run(_records(aftermath.stack))
    assert len(records) > 500
    assert not [hit for record in records for hit in aftermath.canaries.in_bytes(record)]


def test_no_row_holds_one_and_nobody_is_known_by_two_cases(aftermath: Aftermath) -> None:
    """A person deposited in several cases is sealed differently in each: no two rows have a value in common."""
    rows = asyncio.run(_rows(aftermath.stack))
    # Those of cases that the scenario outlives are erased, those that a refused event named are removed.
    assert len(rows["vault.deposits"]) > 30
    told = json.dumps(rows, default=str).encode()
    assert not aftermath.canaries.in_bytes(told)
    persons = [row for row in rows["vault.deposits"] if row["field"] == "person"]
    assert len({row["case"] for row in persons}) > 3
    for column in ("ref", "nonce", "sealed"):
        assert len({row[column] for row in persons}) == len(persons), column


def test_what_was_deposited_is_there_for_who_may_read_it(aftermath: Aftermath) -> None:
    standing = asyncio.run(_rows(aftermath.stack))["vault.deposits"]
    refs = {f"vault:{row['ref']}" for row in standing}
    deposit = next(d for d in aftermath.deposits if d["ref"] in refs and d["field"] == "narrative")
    with aftermath.client(deposit["as"], Role.RECEIVE) as client:
        answer = client.get(f"/vault/{deposit['ref'].removeprefix('vault:')}")
    assert answer.json() == deposit["value"]
    assert aftermath.canaries.in_bytes(answer.content)


def test_one_that_leaked_would_be_found(aftermath: Aftermath) -> None:
    """The same search, after one was let into a topic (compressed), a table and a log."""
    stack, canaries = aftermath.stack, aftermath.canaries
    admin = Producer({**stack.settings.kafka("admin").librdkafka(), "compression.type": "gzip"})
    admin.produce(topics.DEAD, (canaries.at("a leak") * 3).encode(), b"leak", partition=0)
    assert admin.flush(30) == 0
    assert [hit for record in asyncio.run(_records(stack)) for hit in canaries.in_bytes(record)] == ["a leak"]
    asyncio.run(_leak(stack, canaries.at("a leaking row")))
    assert canaries.in_bytes(json.dumps(asyncio.run(_rows(stack)), default=str).encode())
    with (stack.home / "logs" / "web.log").open("a") as log:
        log.write(canaries.at("a leaking line"))
    hits = canaries.in_files(stack.home)
    assert {hit.partition("/")[0] for hit in hits} >= {"logs", "postgres"}


async def _leak(stack: Stack, text: str) -> None:
    owner = await asyncpg.connect(stack.settings.dsn("admin"))
    await owner.execute("CREATE TABLE readmodel.leak (text text)")
    await owner.execute("INSERT INTO readmodel.leak VALUES ($1)", text)
    await owner.execute("CHECKPOINT")  # in the table's own file: in the write-ahead log a page may cut it in two
    await owner.close()


async def _records(stack: Stack) -> list[bytes]:
    ear = reach.ear(stack.settings, "admin")
    catalogue = topics.catalogue(contract().parties)
    ends = await ends_of(ear, [(topic.name, number) for topic in catalogue for number in range(topic.partitions)])
    read = [record async for records in kept(ear, ends) for record in records]
    return [
        b"\0".join(
            (record.key or b"", record.value or b"", *(name.encode() + b"=" + value for name, value in record.headers))
        )
        for record in read
    ]


async def _rows(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as text."""
    owner = await asyncpg.connect(stack.settings.dsn("admin"))
    named = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    rows = {row["name"]: await owner.fetch(f"SELECT * FROM {row['name']}") for row in named}  # noqa: S608 - from the server
    await owner.close()
    return {name: [{key: _text(value) for key, value in row.items()} for row in found] for name, found in rows.items()}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
