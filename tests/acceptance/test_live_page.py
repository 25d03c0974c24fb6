"""ku's live page in a real browser: sign in, see an event arrive, lose the connection and get it back."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import uvicorn
from aiokafka import AIOKafkaProducer
from playwright.async_api import Browser, expect

from consumers import overview_routes
from consumers.overview import Overview
from consumers.overview_feed import OverviewFeed
from consumers.runner import Runner, started
from deploy import clients, database, http_app
from deploy.embedded import ports
from deploy.http_front import HttpMetrics
from deploy.readiness import Readiness
from deploy.sign_in import signed_in
from deploy.tokens import LocalIssuer, Verifier
from schemas import topics
from schemas.canonical import canonical
from schemas.case import Case, Hold, Said, hold_key
from schemas.identity import Role
from schemas.overview_facts import Stage
from schemas.records import Headers
from schemas.shown import Shown, written
from schemas.state import encode
from schemas.views import View, heading_of
from tests import browser, wire
from tests.acceptance.conftest import Stack
from tests.brokers import RunningKafka, RunningPostgres
from tests.speech import Saying, concern
from tests.waiting import eventually

PARTIES = {party.id: party.da for party in wire.contracts().newest.parties.values()}
SHOTS = os.environ.get("SAMSPIL_SCREENSHOTS")  # a folder, to look at the page


@dataclass(slots=True)
class Site:
    """The overview's part of the bus: projection, feed, page; and what a test does to it."""

    kafka: RunningKafka
    owner: asyncpg.Connection
    issuer: LocalIssuer
    port: int
    server: uvicorn.Server
    feed: OverviewFeed

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def token(self, party: str = "ku", *roles: Role, lifetime: timedelta = timedelta(hours=1)) -> str:
        return self.issuer.mint(party, roles or (Role.OVERVIEW,), parties=PARTIES, lifetime=lifetime)

    async def tell(self, case: str, type_: str, ago: timedelta = timedelta(0), by: str = "sof", **fields: Any) -> str:
        """Let ku get a view, as COORDINATE writes it; return the event's id."""
        event = str(uuid4())
        id_, at = str(uuid4()), datetime.now(UTC) - ago
        time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        heading = heading_of(f"dk.samspil.{type_}.v1", f"urn:samspil:party:{by}", case, time, event)
        view = View("ku", id_, heading, canonical({"fields": fields}))
        await self._write(topics.views("ku"), 0, id_, view.value, view.headers())
        return event

    async def correct(self, case: str, *told: str, acknowledged: Sequence[str] = ()) -> str:
        """Let ku and others be told that what was said is withdrawn, and let the case's state say who was."""
        event = await self.tell(case, "correction-issued", corrects=str(uuid4()), reason="withdrawn")
        await self.recall(case, event, *told, acknowledged=acknowledged)
        return event

    async def recall(self, case: str, event: str, *told: str, acknowledged: Sequence[str] = ()) -> None:
        """Write a state that says who was told of a correction and who has acknowledged it."""
        said = Said("sof", "correction-issued", shown_raw=written({party: Shown(("correction",)) for party in told}))
        kept = Case(case, said={event: said}, acknowledged={event: tuple(acknowledged)})
        await self._write(topics.CASES, topics.partition_of(case.encode()), case, encode(kept))

    async def hold(self, case: str, since: str | None) -> None:
        """Put a legal hold on a case, or release it."""
        value = None if since is None else encode(Hold(case, since))
        await self._write(topics.CASES, topics.partition_of(case.encode()), hold_key(case), value)

    async def miss(self, case: str, deadline: str, due: str, responsible: str) -> None:
        """Let ku be told that a deadline has passed."""
        await self.tell(case, "deadline-passed", by="bus", deadline=deadline, due_at=due, responsible=responsible)

    async def _write(self, topic: str, partition: int, key: str, value: bytes | None, headers: Headers = ()) -> None:
        transactional = AIOKafkaProducer(**self.kafka.access().aiokafka(), transactional_id="samspil.test.page")
        async with started(transactional) as producer, producer.transaction():
            await producer.send(topic, value, key.encode(), partition, headers=list(headers))


@asynccontextmanager
async def serving(feed: OverviewFeed, issuer: LocalIssuer, port: int) -> AsyncIterator[uvicorn.Server]:
    async def now() -> datetime:
        return datetime.now(UTC)

    async def nothing() -> dict[int, int]:
        return {}

    sign_in = partial(signed_in, Verifier(issuer.trust(PARTIES), issuer))
    router = overview_routes.router(feed, sign_in, now, PARTIES)
    application = http_app.compose([router], Readiness(nothing, nothing), HttpMetrics())
    config = uvicorn.Config(application, host=ports.HOST, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="module")
async def site(
    kafka: RunningKafka, postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    await asyncio.to_thread(kafka.reset)
    name = f"page_{uuid4().hex}"
    owner = await asyncpg.connect(postgres.dsn())
    await owner.execute(f"CREATE DATABASE {name}")
    passwords = dict.fromkeys(database.ROLES, "of-nobody") | dict(postgres.passwords)
    await database.prepare(postgres.dsn("admin", name), passwords)
    pool = await clients.pool(postgres.dsn("projector", name), size=2)
    overview = f"postgresql://overview:{passwords['overview']}@{ports.HOST}:{postgres.postgres.port}/{name}"
    feed = OverviewFeed(partial(clients.connection, overview))
    runner = Runner(Overview(), lambda: started(clients.consumer(kafka.access("projector"))), pool)
    tasks = [asyncio.create_task(runner.run()), asyncio.create_task(feed.run())]
    issuer = LocalIssuer(tmp_path_factory.mktemp("issuer") / "keys")
    port = ports.choose(["web"], {})["web"]
    async with serving(feed, issuer, port) as server:
        yield Site(kafka, owner, issuer, port, server, feed)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pool.terminate()
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with browser.chromium() as started_:
        yield started_


async def sign_in(watched: browser.Watched, site: Site) -> None:
    await watched.page.goto(site.url)
    await watched.page.get_by_label("Token").fill(site.token())
    await watched.page.get_by_role("button", name="Log ind").click()
    await expect(watched.page.get_by_role("status")).to_have_text("Live")


async def shot(watched: browser.Watched, name: str) -> None:
    if SHOTS:
        await watched.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


async def test_ku_signs_in_and_sees_an_event_arrive_without_reload(site: Site, chromium: Browser) -> None:
    case = str(uuid4())
    async with browser.opened(chromium) as watched:
        page = watched.page
        await sign_in(watched, site)
        await expect(page.get_by_text("Der er ingen sager endnu")).to_be_visible()
        await shot(watched, "empty")
        await page.evaluate("window.untouched = true")
        await site.tell(case, "concern-raised")
        card = page.locator(f"[data-case='{case}']")
        await expect(card).to_be_visible()
        await expect(page.get_by_role("region", name="Nye")).to_contain_text(case[:8])
        await expect(page.locator(".counts [data-count=new]")).to_have_text("1")
        await site.tell(case, "concern-screened", outcome="coordinate", owner="sof")
        await expect(page.get_by_role("region", name="Koordineres")).to_contain_text("Socialforvaltningen")
        await expect(page.locator(".counts [data-count=new]")).to_have_text("0")
        await site.tell(case, "transfer-initiated", transfer="t", to="bif", due="2020-04-01", kind="turning_18")
        await expect(card).to_contain_text("Overdrages til Beskæftigelses- og Integrationsforvaltningen")
        await expect(card).to_contain_text("frist overskredet")
        await site.tell(case, "case-erased", reason="retention")
        await expect(card).to_have_count(0)
        assert await page.evaluate("window.untouched")
        assert watched.faults == []
        assert watched.origins == {site.url}


async def test_what_was_missed_what_waits_and_what_is_held_is_said_until_it_is_over(
    site: Site, chromium: Browser
) -> None:
    case = str(uuid4())
    async with browser.opened(chromium) as watched:
        page = watched.page
        await sign_in(watched, site)
        card, missed = page.locator(f"[data-case='{case}']"), page.locator(".counts [data-count=missed]")
        await site.tell(case, "concern-raised")
        await expect(missed).to_have_text("0")
        await site.miss(case, "coordination_meeting", "2024-03-30T23:00:00Z", "ku")
        await expect(card).to_contain_text("Frist overskredet 30. marts 2024: koordinationsmøde (Koordineringsenheden)")
        await expect(missed).to_have_text("1")
        await expect(page.get_by_role("region", name="Nye")).to_contain_text(case[:8])
        correction = await site.correct(case, "kff", "politi", "ku")
        recall = card.get_by_role("listitem").filter(has_text="Tilbagekaldelse")
        names = ("Kultur- og Fritidsforvaltningen", "Koordineringsenheden", "Københavns Politi")
        await expect(recall).to_have_text(f"Tilbagekaldelse afventer: {', '.join(names)}")
        await site.recall(case, correction, "kff", "politi", "ku", acknowledged=("politi", "ku"))
        await expect(recall).to_have_text(f"Tilbagekaldelse afventer: {names[0]}")
        await site.hold(case, "2026-03-02T11:00:00.000000Z")
        await expect(card).to_contain_text("Slettestop (legal hold) siden 2. marts")
        await shot(watched, "waits")
        await site.tell(case, "meeting-held", meeting="m")
        await site.recall(case, correction, "kff", acknowledged=("kff",))
        await site.hold(case, None)
        await expect(missed).to_have_text("0")
        for words in ("Frist overskredet", "Tilbagekaldelse", "Slettestop"):
            await expect(card).not_to_contain_text(words)
        await site.tell(case, "case-erased", reason="retention")
        await expect(card).to_have_count(0)
        assert watched.faults == []


async def fill(site: Site) -> None:
    """A week's worth of cases, at every stage."""
    days = timedelta(days=1)
    new, awaiting, own, coordinated, measure, relative, closed = (str(uuid4()) for _ in range(7))
    for case, age in ((new, 0.1), (awaiting, 2), (own, 9), (coordinated, 12), (measure, 70), (closed, 30)):
        await site.tell(case, "concern-raised", age * days)
    await site.tell(str(uuid4()), "concern-raised", 3 * days)
    await site.tell(awaiting, "notifier-receipted", 1 * days)
    await site.tell(own, "concern-screened", 8 * days, outcome="own_administration", owner="kff")
    await site.tell(coordinated, "concern-screened", 11 * days, outcome="coordinate", owner="sof")
    due = (datetime.now(UTC) + 20 * days).date().isoformat()
    await site.tell(coordinated, "transfer-initiated", 1 * days, transfer="a", to="bif", due=due)
    await site.tell(coordinated, "correction-issued", 1 * days, corrects="x", reason="wrong_fact")
    await site.tell(measure, "concern-screened", 69 * days, outcome="coordinate", owner="bif")
    await site.tell(measure, "measure-started", 40 * days, measure="m1", kind="mentor")
    await site.tell(measure, "measure-started", 39 * days, measure="m2", kind="family")
    await site.tell(measure, "transfer-initiated", 30 * days, transfer="b", to="kriminalforsorgen", due="2026-01-02")
    await site.miss(measure, "transfer", "2026-01-02T23:00:00Z", "kriminalforsorgen")
    await site.miss(measure, "first_follow_up", "2026-11-20T23:00:00Z", "bif")
    await site.miss(awaiting, "notifier_receipt", "2026-11-25T23:00:00Z", "sof")
    await site.correct(awaiting, "kff", "politi", "ku")
    await site.hold(own, "2026-11-03T09:00:00.000000Z")
    await site.tell(relative, "relative-support-started", 5 * days, by="vink", kind="network")
    await site.tell(closed, "concern-screened", 29 * days, outcome="close", owner="sof")


async def test_it_is_readable_on_desk_and_phone_in_light_and_dark(site: Site, chromium: Browser) -> None:
    await fill(site)
    for name, size, dark in (
        ("desk", browser.DESK, False),
        ("desk-dark", browser.DESK, True),
        ("phone", browser.PHONE, False),
        ("narrow", browser.NARROW, False),
    ):
        async with browser.opened(chromium, size, dark=dark) as watched:
            await watched.page.goto(site.url)
            assert not await watched.overflows()
            await shot(watched, f"{name}-sign-in")
            await sign_in(watched, site)
            await expect(watched.page.locator(".case")).to_have_count(8)
            assert not await watched.overflows()
            await shot(watched, name)
            assert watched.faults == []


async def test_cases_stand_in_the_order_of_waiting(site: Site, chromium: Browser) -> None:
    async with browser.opened(chromium) as watched:
        await sign_in(watched, site)
        waits = watched.page.locator("#new .waited")
        await expect(waits).to_have_text(["Ventet 3 dage", "Ventet 2 timer"])


async def test_a_lost_database_is_said_and_the_page_comes_back_by_itself(site: Site, chromium: Browser) -> None:
    case = str(uuid4())
    async with browser.opened(chromium) as watched:
        await sign_in(watched, site)
        state = watched.page.get_by_role("status")
        await site.owner.execute("ALTER ROLE overview NOLOGIN")
        await site.owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'overview'")
        await expect(state).to_have_text("Forbindelsen er afbrudt, prøver igen")
        await shot(watched, "lost")
        await site.tell(case, "concern-raised")
        await site.owner.execute("ALTER ROLE overview LOGIN")
        await expect(state).to_have_text("Live")
        await expect(watched.page.locator(f"[data-case='{case}']")).to_be_visible()
        assert watched.faults == []


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("nonsense", "Tokenet kan ikke godkendes"),
        ("expired", "Tokenet kan ikke godkendes"),
        ("sof", "giver ikke adgang til overblikket"),
        ("no-role", "giver ikke adgang til overblikket"),
    ],
)
async def test_a_wrong_token_gets_a_clear_message(site: Site, chromium: Browser, token: str, message: str) -> None:
    given = {
        "expired": site.token(lifetime=timedelta(minutes=-5)),
        "sof": site.token("sof", Role.RECEIVE),
        "no-role": site.token("ku", Role.PUBLISH),
    }.get(token, token)
    async with browser.opened(chromium) as watched:
        await watched.page.goto(site.url)
        await watched.page.get_by_label("Token").fill(given)
        await watched.page.get_by_label("Token").press("Enter")
        await expect(watched.page.get_by_role("alert")).to_contain_text(message)
        await shot(watched, f"wrong-{token}")
        assert not await watched.page.context.cookies()


async def test_signing_out_ends_the_session(site: Site, chromium: Browser) -> None:
    async with browser.opened(chromium) as watched:
        await sign_in(watched, site)
        [cookie] = await watched.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await watched.page.get_by_role("button", name="Log ud").click()
        await expect(watched.page.get_by_label("Token")).to_be_visible()
        assert not await watched.page.context.cookies()


async def test_the_overview_is_json_for_ku_alone(site: Site) -> None:
    case = str(uuid4())
    await site.tell(case, "concern-raised")
    await eventually(lambda: any(body["case"] == case for body in site.feed.since().cases))
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        assert (await client.get("/overview")).status_code == 401
        refused = await client.get("/overview", headers={"Authorization": f"Bearer {site.token('sof', Role.RECEIVE)}"})
        assert refused.status_code == 403
        answer = await client.get("/overview", headers={"Authorization": f"Bearer {site.token()}"})
    body = answer.json()
    assert set(body) == {"now", "counts", "cases", "parties", "deadlines"}
    assert sum(body["counts"][stage.value] for stage in Stage) == len(body["cases"])
    assert set(body["cases"][0]) == {
        "case", "stage", "relative", "owner", "outcome", "opened", "since", "changed", "meeting", "handover",
        "measures", "corrections", "missed", "recalls", "hold",
    }  # fmt: skip


async def test_a_form_from_another_site_is_not_taken(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        headers = {"Origin": "https://elsewhere.example"}
        answer = await client.post("/session", data={"token": site.token()}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_through_the_whole_bus_an_event_said_over_http_appears(stack: Stack, chromium: Browser) -> None:
    case = str(uuid4())
    async with browser.opened(chromium, browser.PHONE) as watched:
        page = watched.page
        await page.goto(stack.url)
        await page.get_by_label("Token").fill(await asyncio.to_thread(stack.token, "ku", "overview"))
        await page.get_by_role("button", name="Log ind").click()
        await expect(page.get_by_role("status")).to_have_text("Live")
        await asyncio.to_thread(publish, stack, concern("buf", case))
        await expect(page.locator(f"#new [data-case='{case}']")).to_be_visible()
        assert not await watched.overflows()
        assert watched.faults == []


def publish(stack: Stack, saying: Saying) -> None:
    """Deposit what an event refers to, then say it."""
    with stack.client(saying.party, "publish") as client:
        for field, value in saying.data.items():
            if str(value).startswith("vault:"):
                place = f"/vault/{value.removeprefix('vault:')}"
                given = client.put(place, params={"case": saying.case, "field": field}, json={"of": "nobody"})
                assert given.status_code == 201, given.text
        headers = {name.replace("ce_", "ce-"): text.decode() for name, text in saying.headers}
        said = client.post("/events", content=saying.value, headers={**headers, "Prefer": "wait=10"})
        assert said.status_code == 200, said.text
