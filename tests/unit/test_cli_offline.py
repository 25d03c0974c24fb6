"""The commands that need no bus, as a person runs them: answers, exit codes, and no value in any of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests import wire
from tests.contracts import IN_FORCE, POLICIES

SAMSPIL = Path(sys.executable).with_name("samspil")
CPR = "251248-9996"
FINE, NO, CANNOT = 0, 1, 2
EVENTS = [line for line in wire.SCENARIO.read_text().splitlines() if '"deposit"' not in line]


def samspil(
    *arguments: str | Path, stdin: str | None = None, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SAMSPIL_HOME": str(home or "/nonexistent")}
    return subprocess.run(
        [SAMSPIL, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def test_every_command_helps() -> None:
    groups = ["", "scenario", "dead", "policy", "topics", "schema", "audit", "statistics"]
    for group in groups:
        run = samspil(*group.split(), "--help")
        assert run.returncode == FINE
        assert "Usage" in run.stdout


def test_check_answers_each_line_in_order() -> None:
    bad = json.dumps({**json.loads(EVENTS[0]), "data": {"person": CPR, CPR: "x"}})
    run = samspil("check", "-", "--json", stdin="\n".join([EVENTS[0], "{" + CPR, "", bad]))
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [(a["line"], a["verdict"], a.get("reason")) for a in answers] == [
        (1, "well_formed", None),
        (2, "refused", "bad_envelope"),
        (4, "refused", "schema"),
    ]
    assert run.returncode == NO
    assert CPR not in run.stdout + run.stderr
    assert run.stderr == "1 well formed, 2 not.\n"


def test_check_takes_one_event_over_several_lines(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(json.loads(EVENTS[0]), indent=2))
    run = samspil("check", file)
    assert (run.returncode, run.stdout) == (FINE, f"line 1  {json.loads(EVENTS[0])['id']}  well formed\n")


@pytest.mark.parametrize("command", [("check", "-"), ("publish", "--as", "sof")], ids=["check", "publish"])
def test_nothing_at_all_is_no_event(command: tuple[str, ...]) -> None:
    run = samspil(*command, stdin="\n \n")
    assert (run.returncode, run.stdout) == (CANNOT, "")
    assert run.stderr.endswith("standard input holds nothing.\n")


def test_check_passes_over_a_scenarios_deposits() -> None:
    run = samspil("check", wire.SCENARIO, "--json")
    assert len(run.stdout.splitlines()) == len(EVENTS)


def test_a_file_that_is_not_there_is_one_line() -> None:
    run = samspil("check", "/nonexistent/events.jsonl")
    assert (run.returncode, run.stdout) == (CANNOT, "")
    assert run.stderr.count("\n") == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("folder", [POLICIES, IN_FORCE])
def test_policy_check_takes_the_contract_in_force(folder: Path) -> None:
    run = samspil("policy", "check", folder, "--json")
    told = json.loads(run.stdout)
    assert (run.returncode, told["valid"], told["digest"]) == (FINE, True, wire.contracts().newest.digest)
    assert samspil("policy", "check", folder).returncode == FINE


def test_policy_check_refuses_with_file_and_line(tmp_path: Path) -> None:
    shutil.copytree(IN_FORCE, tmp_path, dirs_exist_ok=True)
    policy = tmp_path / "policy.yaml"
    policy.write_text(policy.read_text().replace("gate: child,", "gate: nonsense,", 1))
    run = samspil("policy", "check", tmp_path)
    assert run.returncode == NO
    line = next(n for n, text in enumerate(policy.read_text().splitlines(), 1) if "gate: nonsense" in text)
    assert f"policy.yaml:{line}" in run.stdout
    as_json = json.loads(samspil("policy", "check", tmp_path, "--json").stdout)
    assert as_json["valid"] is False


def test_policy_explain_says_who_gets_what_and_why(tmp_path: Path) -> None:
    log, event = tmp_path / "log.jsonl", tmp_path / "event.json"
    scheduled = next(n for n, line in enumerate(EVENTS) if "register-check-requested" in line)
    log.write_text("\n".join(EVENTS[:scheduled]))
    event.write_text(EVENTS[scheduled])
    run = samspil("policy", "explain", "--event", event, "--case-log", log, "--as", "politi", "--json")
    told = json.loads(run.stdout)
    assert run.returncode == FINE
    assert told["view"] == {"fields": ["expires_at", "meeting"], "refs": [], "case_refs": ["person"]}
    [released] = [rule for rule in told["rules"] if rule["said"] == "released"]
    assert (released["rule"], released["gate"]) == ("check-invited", "forum")
    assert "would be refused (unknown_event)" in run.stderr  # the scenario's own refusals are passed over
    nobody = samspil("policy", "explain", "--event", event, "--case-log", log, "--as", "suf")
    assert (nobody.returncode, nobody.stdout.splitlines()[0]) == (NO, "suf gets no view of this event.")
    log.write_text("\n".join(EVENTS[: scheduled + 1]))
    again = samspil("policy", "explain", "--event", event, "--case-log", log, "--as", "politi")
    assert (again.returncode, again.stdout.splitlines()[1]) == (NO, "The case log holds it already.")


def test_policy_explain_of_a_refused_event(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(EVENTS[2])  # on a case that the log does not know
    run = samspil("policy", "explain", "--event", event, "--as", "buf")
    assert (run.returncode, "unknown_case" in run.stdout) == (NO, True)
    unknown = samspil("policy", "explain", "--event", event, "--as", CPR)
    assert unknown.returncode in {NO, CANNOT}
    assert CPR not in unknown.stdout + unknown.stderr


def test_schemas_and_asyncapi_are_json(tmp_path: Path) -> None:
    assert samspil("schema", "export", tmp_path / "out").returncode == FINE
    written = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()}
    assert len(written) == len(wire.contracts().newest.types) + 1
    for schema in written.values():
        Draft202012Validator.check_schema(schema)
    happened = json.loads(EVENTS[0])
    validator = Draft202012Validator(written[happened["type"]])
    assert validator.is_valid(happened["data"])
    assert not validator.is_valid({**happened["data"], "age_band": CPR})
    assert json.loads(samspil("asyncapi").stdout)["asyncapi"].startswith("3.")
    (tmp_path / "file").write_text("")
    assert samspil("schema", "export", tmp_path / "file").returncode == CANNOT


def test_a_token_needs_a_party_a_role_and_nothing_else(tmp_path: Path) -> None:
    run = samspil("token", "ku", home=tmp_path)
    assert (run.returncode, run.stdout.count(".")) == (FINE, 2)
    assert "overview, publish, receive" in run.stderr
    for arguments in (("nobody",), ("ku", "--role", "king"), ("ku", "--role", "audit")):
        refused = samspil("token", *arguments, home=tmp_path)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (CANNOT, "", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("follow", "--as", "ku"),
        ("refusals", "--as", "ku"),
        ("audit", "verify"),
        ("dead", "list"),
        ("publish", "--as", "ku", str(wire.SCENARIO)),
        ("scenario", "play", str(wire.SCENARIO)),
    ],
)
def test_without_a_bus_it_says_so_in_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = samspil(*arguments, home=tmp_path)
    assert (run.returncode, run.stdout) == (CANNOT, "")
    assert "samspil up" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("audit", "replay", "--case", CPR), ("audit", "disclosures", "--case", CPR), ("follow", "--as", CPR)],
)
def test_a_value_in_the_wrong_place_is_not_repeated(arguments: tuple[str, ...]) -> None:
    run = samspil(*arguments)
    assert run.returncode == CANNOT
    assert CPR not in run.stdout + run.stderr


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(EVENTS * 20))
    process = subprocess.Popen([SAMSPIL, "check", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as out:
        out.readline()
    with process.stderr as err:
        assert "Traceback" not in err.read()
    process.wait(30)
