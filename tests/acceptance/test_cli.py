"""The command line as a stranger runs it: each command as a process, against the whole stack or offline.

What it answers to the letter, and a batch of a thousand lines, are in test_cli_bus.py.
"""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from schemas import topics
from tests.acceptance.conftest import SAMSPIL, Stack
from tests.brokers import parties
from tests.speech import Saying, activity, say
from tests.unit.scenarios import CONTRACT_DIR, SCENARIOS, said

CPR = "251248-9996"
SHORT = SCENARIOS / "another-concern.jsonl"
LONG = SCENARIOS / "first-weeks.jsonl"
CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"  # the first of first-weeks


def offline(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SAMSPIL, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False)


def structured(saying: Saying) -> str:
    """The event as one line of JSON."""
    attributes = {name.removeprefix("ce_"): text.decode() for name, text in saying.headers if name != "content-type"}
    return json.dumps({**attributes, "datacontenttype": "application/json", "data": saying.data})


def answers(run: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_one_event_from_a_file_and_the_line_of_a_broken_one(stack: Stack, tmp_path: Path) -> None:
    good = tmp_path / "event.json"
    good.write_text(structured(activity("kff")))
    assert stack.samspil("publish", "--as", "kff", good).returncode == 0
    good.write_text(f"{structured(activity('kff'))}\n{{{CPR}\n")
    run = stack.samspil("publish", "--as", "kff", good)
    assert run.returncode == 1
    assert "line 2" in run.stdout + run.stderr
    assert CPR not in run.stdout + run.stderr


def test_a_scenario_is_followed_refused_retold_and_audited(stack: Stack) -> None:
    played = answers(stack.samspil("scenario", "play", SHORT, "--json"))
    assert [one.get("reason") for one in played] == ["signs_insufficient", None, None, None, None]
    case = str(said("another-concern")[0]["subject"])
    heard = answers(stack.samspil("follow", "--as", "politi", "--from-beginning", "--json", "--idle", "2"))
    assert "dk.samspil.meeting-scheduled.v1" in {view["type"] for view in heard if view.get("subject") == case}
    refused = answers(stack.samspil("refusals", "--as", "buf", "--json"))
    assert played[0]["id"] in {one["id"] for one in refused}
    retold = stack.samspil("audit", "replay", "--case", case)
    assert (retold.returncode, "meeting-scheduled" in retold.stdout) == (0, True)
    early = stack.samspil("audit", "replay", "--case", case, "--at", "2026-06-20T11:00:00Z")
    assert "concern-screened" not in early.stdout
    disclosed = answers(stack.samspil("audit", "disclosures", "--case", case, "--json"))
    assert {"ku", "sof", "politi"} <= {line["recipient"] for line in disclosed}
    assert stack.samspil("audit", "verify").returncode == 0


def test_following_shows_a_view_as_it_comes(stack: Stack) -> None:
    listening = subprocess.Popen(
        [SAMSPIL, "follow", "--as", "by-malmoe", "--json", "--idle", "15"],
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with listening:
        assert listening.stderr is not None
        assert listening.stdout is not None
        assert "by-malmoe" in listening.stderr.readline()  # from here on nothing is missed
        event = activity("ssp")
        stack.samspil("publish", "--as", "ssp", "-", stdin=structured(event))
        assert json.loads(listening.stdout.readline())["causationid"] == event.id
        listening.terminate()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("token", "nobody"), "bolig-nord"),  # it says which parties there are
        (("token", "sof", "--role", "overview"), "overview"),
        (("publish", "--as", "nobody", "-"), "bolig-nord"),
        (("publish", "--as", "sof", "/no/such/file"), "/no/such/file"),
        (("audit", "replay", "--case", "x"), "--case"),
        (("scenario", "play", "/no/such/file"), "/no/such/file"),
    ],
)
def test_what_cannot_be_is_one_clear_line(stack: Stack, arguments: tuple[str, ...], named: str) -> None:
    run = stack.samspil(*arguments, stdin="")
    assert run.returncode == 2
    assert run.stdout == ""
    assert named in run.stderr
    assert "Traceback" not in run.stderr


def test_topics_and_rights_are_shown_as_the_catalogue_has_them(stack: Stack) -> None:
    shown = answers(stack.samspil("topics", "--json"))
    assert {topic["name"] for topic in shown} == {topic.name for topic in topics.catalogue(parties())}
    assert '"principal"' in stack.samspil("topics", "acls", "--json").stdout
    assert stack.samspil("topics", "apply").returncode == 0


def test_no_dead_letter_is_none(stack: Stack) -> None:
    assert stack.samspil("dead", "list", "--json").stdout == ""
    assert stack.samspil("dead", "retry").returncode == 0


def test_schemas_are_exported_and_hold_what_was_said(tmp_path: Path) -> None:
    assert offline("schema", "export", tmp_path).returncode == 0
    files = sorted(tmp_path.glob("dk.samspil.*.json"))
    assert len(files) == 30
    for file in files:
        Draft202012Validator.check_schema(json.loads(file.read_text()))
    assert json.loads(offline("asyncapi").stdout)["asyncapi"].startswith("3.")


def test_a_policy_with_one_unknown_word_is_refused_with_its_line(tmp_path: Path) -> None:
    assert offline("policy", "check", CONTRACT_DIR).returncode == 0
    for file in CONTRACT_DIR.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("gate: danger,", "gate: dangr,"))
    run = offline("policy", "check", tmp_path)
    assert run.returncode != 0
    assert "policy.yaml:" in run.stdout + run.stderr
    assert "dangr" in run.stdout + run.stderr


def test_the_policy_explains_who_gets_what(tmp_path: Path) -> None:
    """The police are in the meeting's forum and get the call; the case's health administration gets nothing."""
    before, after = tmp_path / "log.jsonl", tmp_path / "event.json"
    events = [event for event in said("first-weeks") if event.get("subject") == CASE]
    meeting = next(event for event in events if "meeting-scheduled" in event["type"])
    log = events[: events.index(meeting)]
    before.write_text("".join(json.dumps(event) + "\n" for event in log))
    after.write_text(json.dumps(meeting))
    told = offline("policy", "explain", "--event", after, "--case-log", before, "--as", "politi")
    assert (told.returncode, "meeting-invited" in told.stdout) == (0, True)
    assert "retsplejeloven" in told.stdout
    assert offline("policy", "explain", "--event", after, "--case-log", before, "--as", "suf").returncode == 1


def test_events_are_checked_offline(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    bad = say("sof", "follow-up-held", str(uuid4()), progress=CPR)
    file.write_text(structured(activity("sof")) + "\n" + structured(bad) + "\n")
    run = offline("check", file)
    assert run.returncode == 1
    assert "/data/progress" in run.stdout
    assert CPR not in run.stdout + run.stderr
    assert offline("check", LONG).returncode == 1  # it holds what is there to be refused
