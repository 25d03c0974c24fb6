"""The scenario of the contract through the whole stack: every verdict, view and receipt as expected.

Once over HTTP and once by Kafka clients; each party through its own credentials, each reads its own views.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from consumers.kept_records import ends_of, kept
from consumers.subscriber import Subscriber
from deploy.cli import reach
from schemas import topics
from schemas.envelope import TYPE_PREFIX, TYPE_SUFFIX
from schemas.vocabulary import instant
from tests.acceptance.conftest import Stack
from tests.canaries import found
from tests.unit.scenarios import SCENARIOS, contract, expected, said
from tests.waiting import eventually_sync

NAME = "first-weeks"
INSTANTS = {
    (name, field.name)
    for name, type_ in contract().types.items()
    for field in type_.fields.values()
    if field.type.rstrip("?") == "instant"
}


@pytest.fixture(scope="module", params=["http", "kafka"])
def played(request: pytest.FixtureRequest, start: Callable[[str], Stack]) -> "Iterator[Played]":
    """A stack of its own, on which the scenario was played this way."""
    stack = start(request.param)
    run = stack.samspil("scenario", "play", SCENARIOS / f"{NAME}.jsonl", "--via", request.param, "--json", seconds=300)
    assert run.stdout, run.stderr
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    yield Played(stack, verdicts, asyncio.run(_all_views(stack)), list(_receipts(stack)))
    stack.samspil("down")  # what idles beside them slows the tests after


class Played:
    """What a stack answered to the scenario."""

    def __init__(
        self,
        stack: Stack,
        verdicts: list[dict[str, Any]],
        views: dict[tuple[str, str], dict[str, Any]],
        receipts: list[dict[str, Any]],
    ) -> None:
        self.stack, self.verdicts, self.views, self.receipts = stack, verdicts, views, receipts


def test_every_verdict(played: Played) -> None:
    wanted = [(line["id"], line["verdict"], line.get("reason")) for line in expected(NAME)]
    assert [(line["id"], _verdict(line), line.get("reason")) for line in played.verdicts] == wanted


def test_every_view_and_none_beside(played: Played) -> None:
    types = {event["id"]: event["type"].removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX) for event in said(NAME)}
    wanted = {
        (line["id"], party): _comparable(types[line["id"]], view)
        for line in expected(NAME)
        for party, view in line.get("views", {}).items()
    }
    got = {
        (event, party): _comparable(types[event], _released(view["data"]))
        for (event, party), view in played.views.items()
        if event in types
    }
    assert got == wanted
    by_the_bus = {view["type"] for (event, _), view in played.views.items() if event not in types}
    assert by_the_bus == {"dk.samspil.deadline-passed.v1"}  # what was due and did not come, on the scenario's clock


def test_every_receipt(played: Played) -> None:
    """Who got nothing by which rule, and who got less than all rules that addressed it."""
    wanted = {
        (line["id"], party): (outcome, failed)
        for line in expected(NAME)
        for kind, outcome in (("withheld", "withheld"), ("partly", "released"))
        for party, failed in line.get(kind, {}).items()
    }
    got = {(r["event"], r["recipient"]): (r["outcome"], r["failed"]) for r in played.receipts if r["failed"]}
    assert got == wanted
    released = {(r["event"], r["recipient"]) for r in played.receipts if r["outcome"] == "released"}
    assert released == set(played.views)


def test_the_publisher_learns_who_got_nothing(played: Played) -> None:
    """A verdict names the parties that the event named and that got no view."""
    measure = next(event for event in said(NAME) if event["id"].startswith("950537d5"))
    with played.stack.client("bif") as client:
        verdict = client.get(f"/events/{measure['id']}").json()
    assert verdict == {"id": measure["id"], "verdict": "accepted", "withheld": ["suf"]}


def test_the_audit_finds_nothing(played: Played) -> None:
    run = played.stack.samspil("audit", "verify")
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_personal_value_left_the_vault(played: Played) -> None:
    """Every deposited text is sought in every file that a broker or service wrote."""
    deposits = [json.loads(line)["deposit"]["value"] for line in _scenario_lines() if '"deposit"' in line]
    # days alone are on the bus too: when something was observed is a case fact of class 1
    texts = {text for value in deposits for text in _texts(value) if len(text) > 8 and text[:5] != "2026-"}
    assert "251248-9996" in texts
    # a careless Kafka client's own inbox is emptied within a second; the broker drops the file seconds later
    eventually_sync(lambda: not found(played.stack.home, texts), timeout=90)


async def _all_views(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    parties = tuple(contract().parties)
    heard = await asyncio.gather(*(_views_of(stack, party) for party in parties))
    views = [((view["causationid"], party), view) for party, own in zip(parties, heard, strict=True) for view in own]
    assert len(dict(views)) == len(views), "a view came twice"
    return dict(views)


async def _views_of(stack: Stack, party: str) -> list[dict[str, Any]]:
    listening = await Subscriber(party, reach.ear(stack.settings, party)).listen(from_beginning=True)
    views = [view async for view in listening.views(idle=2)]
    await listening.stop()
    return views


def _receipts(stack: Stack) -> Iterator[dict[str, Any]]:
    return iter(asyncio.run(_ledger(stack)))


async def _ledger(stack: Stack) -> list[dict[str, Any]]:
    ear = reach.ear(stack.settings, "revision")
    places = [(topics.LEDGER, partition) for partition in range(topics.PARTITIONS + 1)]
    ends = await ends_of(ear, places)
    return [json.loads(record.value) async for records in kept(ear, ends) for record in records]


def _verdict(line: Mapping[str, Any]) -> str:
    return "duplicate" if line.get("duplicate") else str(line["verdict"])


def _released(data: Mapping[str, Any]) -> dict[str, Any]:
    rules = [ground["rule"] for ground in data["grounds"]]
    return {"fields": data["fields"], "refs": data["refs"], "case_refs": data["case_refs"], "rules": rules}


def _comparable(type_: str, view: Mapping[str, Any]) -> dict[str, Any]:
    """Instants compare as instants: the same moment may be written in two ways."""
    fields = {name: instant(value) if (type_, name) in INSTANTS else value for name, value in view["fields"].items()}
    return {**view, "fields": fields}


def _scenario_lines() -> list[str]:
    return (SCENARIOS / f"{NAME}.jsonl").read_text(encoding="utf-8").splitlines()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
