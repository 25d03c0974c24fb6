"""`samspil down` and `status` go by who holds the home now, never by what an earlier run has left behind."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli import stack
from deploy.embedded.home import Home, Run

SAMSPIL = Path(sys.executable).with_name("samspil")
HOLDER = """
import sys, time
from pathlib import Path
from deploy.embedded.home import Home
with Home(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.ensure()
    return made


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that got the id which an earlier run had."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


@pytest.fixture
def starting(home: Home, bystander: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[str]"]:
    """A run that holds the home and has not yet written its own run.json."""
    ports = {"kafka": 1001, "controller": 1002, "postgres": 1003, "http": 1004}
    home.note(Run(pid=bystander.pid, ports=ports, clock="wall", since="", url="", state="stopped"))
    program = [sys.executable, "-c", HOLDER, str(home.path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def samspil(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SAMSPIL_HOME": str(home.path)}
    return subprocess.run(
        [SAMSPIL, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_down_during_a_start_stops_that_start_and_nobody_else(
    home: Home, starting: "subprocess.Popen[str]", bystander: "subprocess.Popen[bytes]"
) -> None:
    assert home.holder() == starting.pid
    assert samspil(home, "down").returncode == 0
    assert starting.wait(10) == -signal.SIGTERM
    assert bystander.poll() is None
    assert home.holder() is None


def test_status_of_a_start_that_has_just_begun(home: Home, starting: "subprocess.Popen[str]") -> None:
    run = samspil(home, "status", "--json")
    told = {"home": str(home.path), "state": "starting", "parts": {}}
    assert (run.returncode, json.loads(run.stdout)) == (1, told)
    assert samspil(home, "status").stdout == f"samspil is starting in {home.path}.\n"
    assert starting.poll() is None


def test_who_asks_is_not_taken_for_who_runs_it(home: Home) -> None:
    with home.held():
        assert home.holder() == os.getpid()
    with (home.path / "up.lock").open("a+") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert home.holder() is None


def test_what_is_printed_to_be_copied_is_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "argv", [".venv/bin/samspil", "up"])
    assert stack._program() == ".venv/bin/samspil"
    monkeypatch.setattr(sys, "argv", ["/a folder/samspil", "up"])
    assert stack._program() == "'/a folder/samspil'"
    monkeypatch.setenv("PATH", str(SAMSPIL.parent))
    monkeypatch.setattr(sys, "argv", [str(SAMSPIL), "up"])
    assert stack._program() == "samspil"


def test_one_embedded_broker_cannot_keep_three_copies(home: Home) -> None:
    environment = {**os.environ, "SAMSPIL_HOME": str(home.path), "SAMSPIL_REPLICATION": "3"}
    told = subprocess.run([SAMSPIL, "up"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert "SAMSPIL_REPLICATION is for a cluster" in told.stderr
