"""What a running bus answers on the command line: publishing, reading, dead letters and the audit, told exactly."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from consumers.dead_letters import DeadLetter
from consumers.kept_records import ends_of, kept
from deploy import clients
from deploy.cli import reach
from deploy.cli.verdict_lines import why
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Outbound
from tests.acceptance.conftest import Stack
from tests.http_side import structured
from tests.speech import Saying, activity, concern, say

CPR = "251248-9996"
FINE, NO, CANNOT = 0, 1, 2
BATCH, BAD_LINE, CASES = 1_000, 500, 32

Run = subprocess.CompletedProcess[str]


def spoken(*sayings: Saying) -> str:
    """Sayings as JSON lines of structured CloudEvents."""
    return "".join(json.dumps(structured(saying)) + "\n" for saying in sayings)


def told(run: Run) -> list[dict[str, Any]]:
    """What a command answered with --json."""
    assert run.returncode in {FINE, NO}, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def story(*sayings: Saying) -> str:
    """A scenario: each event after the deposits that it refers to."""
    lines = [line for saying in sayings for line in (*_deposits(saying), structured(saying))]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _deposits(saying: Saying) -> Iterator[dict[str, Any]]:
    for name, ref in saying.data.items():
        if isinstance(ref, str) and ref.startswith("vault:"):
            place = {"as": saying.party, "case": saying.case, "field": name, "ref": ref}
            yield {"deposit": {**place, "value": "of no matter"}}


def opened(stack: Stack, folder: Path, count: int = 1) -> list[Saying]:
    """Cases of this test's own: buf is concerned about children, of which ku and sof hear."""
    raised = [concern("buf", str(uuid4()), age_band="15_17") for _ in range(count)]
    file = folder / "opening.jsonl"
    file.write_text(story(*raised))
    verdicts = told(stack.samspil("scenario", "play", file, "--json"))
    assert {verdict["verdict"] for verdict in verdicts} == {"accepted"}
    return raised


def talk(raised: Saying, outcome: str, time: str | None = None) -> Saying:
    return say("buf", "conversation-held", raised.case, time, held_on="2026-01-20", outcome=outcome)


@pytest.fixture
def raised(stack: Stack, tmp_path: Path) -> Saying:
    return opened(stack, tmp_path)[0]


def test_a_token_opens_what_its_roles_allow(stack: Stack) -> None:
    run = stack.samspil("token", "ku")
    assert run.stderr == "Speaks for ku as overview, publish, receive; valid for 12 h.\n"
    narrow = stack.samspil("token", "ku", "--role", "publish,receive")
    for token, status in ((run.stdout, 200), (narrow.stdout, 403)):
        answer = httpx.get(f"{stack.url}/overview", headers={"Authorization": f"Bearer {token.strip()}"})
        assert answer.status_code == status


def test_one_event_over_several_lines_and_once_more(stack: Stack, tmp_path: Path) -> None:
    event, file = structured(activity("tmf")), tmp_path / "event.json"
    file.write_text(json.dumps(event, indent=2))
    first, second = (stack.samspil("publish", "--as", "tmf", file) for _ in range(2))
    assert (first.returncode, first.stdout) == (FINE, f"line 1  {event['id']}  accepted\n")
    assert first.stderr == "1 accepted, 0 refused.\n"
    assert second.stdout == f"line 1  {event['id']}  accepted before (a duplicate)\n"


def test_a_thousand_lines_of_which_one_is_bad(stack: Stack, tmp_path: Path) -> None:
    """Of a few cases side by side, in each of which the order matters; the bad one changes nothing for the others."""
    cases = opened(stack, tmp_path, CASES)
    sayings = [talk(cases[n % CASES], "continued" if n >= CASES else "accepts_contact") for n in range(BATCH)]
    bad = sayings[BAD_LINE - 1]
    bad.data["outcome"] = CPR
    run = stack.samspil("publish", "--as", "buf", stdin=spoken(*sayings), seconds=300)
    assert (run.returncode, run.stderr) == (NO, f"{BATCH - 1} accepted, 1 refused.\n")
    verdicts = {bad.id: f"refused: {why('schema', ['/data/outcome'])}"}
    assert run.stdout.splitlines() == [
        f"line {number}  {saying.id}  {verdicts.get(saying.id, 'accepted')}" for number, saying in enumerate(sayings, 1)
    ]
    assert CPR not in stack.logs()


def test_what_is_no_event_gets_its_reason_and_is_not_repeated(stack: Stack) -> None:
    event = structured(activity("suf"))
    lines = [
        json.dumps({**event, CPR: CPR}),
        json.dumps({**event, "data": {**event["data"], CPR: CPR}}),
        "{" + CPR,
        json.dumps({**event, "data": {"area": "x" * 70_000}}),
        json.dumps({**event, "source": "urn:samspil:party:politi"}),
        json.dumps({**event, "type": f"dk.samspil.{CPR}.v1"}),
    ]
    run = stack.samspil("publish", "--as", "suf", "--json", stdin="\n".join(lines))
    reasons = ["bad_envelope", "schema", "bad_envelope", "too_large", "not_your_source", "unknown_type"]
    assert [(line["line"], line["reason"]) for line in told(run)] == list(enumerate(reasons, 1))
    assert (run.returncode, run.stderr) == (NO, "0 accepted, 6 refused.\n")
    assert CPR not in run.stdout + stack.logs()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--as", CPR), "no such party"),
        (("--as", "suf", "--token", CPR), "unauthenticated (401)"),
        (("--as", "suf", f'{{"id": "{CPR}"}}'), "never on the command line"),
    ],
)
def test_what_cannot_be_said_is_one_line(stack: Stack, arguments: tuple[str, ...], reason: str) -> None:
    run = stack.samspil("publish", *arguments, stdin=spoken(activity("suf")))
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (CANNOT, "", 1)
    assert reason in run.stderr
    assert CPR not in run.stderr


@pytest.mark.parametrize("via", ["http", "kafka"])
def test_a_story_is_played_each_after_the_one_before(stack: Stack, tmp_path: Path, via: str) -> None:
    raised = concern("buf", str(uuid4()))
    stranger = say("vink", "follow-up-held", raised.case, progress="better")
    file = tmp_path / "story.jsonl"
    file.write_text(story(raised, stranger, raised))
    run = stack.samspil("scenario", "play", file, "--via", via, "--json")
    assert told(run) == [
        {"id": raised.id, "verdict": "accepted", "reason": None},
        {"id": stranger.id, "verdict": "refused", "reason": "unknown_case"},
        {"id": raised.id, "verdict": "accepted", "reason": None, "duplicate": True},
    ]
    assert (run.returncode, run.stderr) == (FINE, "Played: 2 events accepted, 1 refused.\n")


def test_a_story_that_is_none_names_its_line(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "story.jsonl"
    file.write_text(spoken(activity("ku")) + json.dumps({"source": CPR}) + "\n")
    run = stack.samspil("scenario", "play", file)
    assert (run.returncode, run.stdout) == (CANNOT, "")
    assert f"{file}, line 2" in run.stderr
    assert CPR not in run.stderr


def test_views_in_words(stack: Stack, raised: Saying) -> None:
    run = stack.samspil("follow", "--as", "sof", "--from-beginning", "--idle", "1")
    assert (run.returncode, run.stderr) == (FINE, "Listening as sof from the oldest view that is kept.\n")
    [line] = [line for line in run.stdout.splitlines() if str(raised.case) in line]
    assert "concern-raised  age_band=15_17" in line
    assert "refs: person, signs" in line


def test_refusals_in_words(stack: Stack, raised: Saying) -> None:
    stranger = say("ekp", "follow-up-held", raised.case, progress="better")
    stack.samspil("publish", "--as", "ekp", stdin=spoken(stranger))
    shown = stack.samspil("refusals", "--as", "ekp")
    assert shown.stdout.splitlines()[-1] == f"{stranger.id}  refused: {why('unknown_case', ['/subject'])}"


async def dead_letter(stack: Stack, raised: Saying) -> DeadLetter:
    """A letter about an event that was judged all the same."""
    place = (topics.ADMITTED, topics.partition_of(raised.key))
    ear = reach.ear(stack.settings, "worker")
    admitted = [r async for records in kept(ear, await ends_of(ear, [place])) for r in records]
    [offset] = [record.offset for record in admitted if record.key == raised.key]
    letter = DeadLetter(*place, offset, "coordinate", "KeyError")
    async with AcknowledgedSender(partial(clients.producer, stack.settings.kafka("worker"))) as send:
        await send(Outbound(topics.DEAD, 0, letter.key, canonical(letter.body())))
    return letter


def test_a_dead_letter_is_listed_submitted_and_settled(stack: Stack, raised: Saying) -> None:
    """What was judged before is a duplicate then; tests/integration/test_dead_retry.py has a truly dead one."""
    letter = asyncio.run(dead_letter(stack, raised))
    assert told(stack.samspil("dead", "list", "--json")) == [letter.body()]
    run = stack.samspil("dead", "retry")
    assert run.stdout == f"{letter.key.decode()}  submitted again\n"
    assert (run.returncode, run.stderr) == (FINE, "1 submitted, 0 no longer kept.\n")
    again = stack.samspil("dead", "retry")
    assert (again.returncode, again.stdout, again.stderr) == (FINE, "", "0 submitted, 0 no longer kept.\n")
    assert [event["id"] for event in replayed(stack, raised)["events"]] == [raised.id]


def replayed(stack: Stack, raised: Saying, *at: str) -> dict[str, Any]:
    [case] = told(stack.samspil("audit", "replay", "--case", str(raised.case), *at, "--json"))
    return case


def test_a_case_is_told_again_as_it_was(stack: Stack, raised: Saying) -> None:
    first = replayed(stack, raised)
    recorded = first["events"][0]["recorded"]
    later = talk(raised, "accepts_contact", (datetime.fromisoformat(recorded) + timedelta(minutes=1)).isoformat())
    stack.samspil("publish", "--as", "buf", stdin=spoken(later))
    assert [event["id"] for event in replayed(stack, raised)["events"]] == [raised.id, later.id]
    assert replayed(stack, raised, "--at", recorded) == first
    assert first["events"][0]["views"].keys() == {"ku", "sof"}


def test_a_case_is_told_in_words(stack: Stack, raised: Saying) -> None:
    shown = stack.samspil("audit", "replay", "--case", str(raised.case)).stdout.splitlines()
    assert shown[0].endswith(f"concern-raised  said by buf  {raised.id}")
    assert shown[1].startswith("    ku got ")
    nothing = stack.samspil("audit", "replay", "--case", str(uuid4()))
    assert (nothing.returncode, nothing.stdout) == (NO, "The log knows no such case, or not yet at that time.\n")


def test_who_got_what_in_words(stack: Stack, raised: Saying) -> None:
    shown = stack.samspil("audit", "disclosures", "--case", str(raised.case))
    assert (shown.returncode, shown.stderr) == (FINE, "2 receipts.\n")
    to_sof = shown.stdout.splitlines()[3:]
    assert to_sof[0].endswith(f"  sof  released  concern-raised {raised.id}")
    assert to_sof[1].endswith("person, signs")
    assert to_sof[2].startswith("    concern-sof: gate child, barnets lov")
    known = [line for line in to_sof if line.startswith(f"  sof  concern-raised {raised.id}  ")]
    assert len(known) == len(set(known)) > 1
    assert stack.samspil("audit", "disclosures", "--case", str(uuid4())).returncode == NO


@pytest.mark.usefixtures("raised")
def test_the_audit_of_a_running_bus_finds_nothing(stack: Stack) -> None:
    run = stack.samspil("audit", "verify")
    assert (run.returncode, run.stderr) == (FINE, ""), run.stdout
    assert run.stdout.splitlines()[-1] == "Everything is as it follows from the log."
