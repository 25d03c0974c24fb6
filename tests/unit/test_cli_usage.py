"""A command line that cannot be understood: our own words, one line, exit code 2, and never what was typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMSPIL = Path(sys.executable).with_name("samspil")
CPR = "251248-9996"


def samspil(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SAMSPIL_HOME": "/nonexistent"}
    return subprocess.run(
        [SAMSPIL, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scenario", "play", "x", "--shift", CPR), "--shift does not take this value; it takes now."),
        (("up", "--clock", CPR), "--clock does not take this value; it takes wall|events."),
        (("token", "ku", "--hours", CPR), "--hours does not take this value"),
        (("token", "ku", "--hours", "0"), "--hours does not take this value"),
        (("token", "ku", "--actor", CPR), "--actor does not take this value; it takes UUID."),
        ((CPR,), "there is no such command; there are up, down, "),
        (("audit", CPR), "there is no such command; there are verify, replay, disclosures."),
        ((f"--{CPR}",), "there is no such option."),
        (("up", f"--{CPR}"), "there is no such option."),
        (("up", f"-{CPR}"), "there is no such option."),
        (("up", f"--detatch={CPR}"), "there is no such option; did you mean --detach?"),
        (("up", f"--detach={CPR}"), "--detach takes no value."),
        (("follow", "--as"), "--as needs a value."),
        (("publish", CPR), "--as is missing."),
        (("token",), "PARTY is missing."),
        (("status", CPR), "there is an argument too many. See samspil status --help."),
    ],
)
def test_it_names_the_parameter_and_not_what_was_typed(arguments: tuple[str, ...], said: str) -> None:
    run = samspil(*arguments)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1), run.stdout + run.stderr
    assert said in run.stderr
    assert CPR not in run.stderr
    assert "service" not in run.stderr


@pytest.mark.parametrize("group", [(), ("audit",)])
def test_a_group_without_a_command_shows_its_help_once(group: tuple[str, ...]) -> None:
    run = samspil(*group)
    assert (run.returncode, (run.stdout + run.stderr).count("Usage")) == (2, 1)
