"""The whole embedded default by its commands: up, status, a killed part, a second up, down, and data that stays."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.waiting import eventually_sync

Ran = subprocess.CompletedProcess[str]
Samspil = Callable[..., Ran]
PARTS = {"kafka", "postgres", "worker", "projector", "web"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Samspil, Ran]]:
    """The command, on a home of its own that is running, and what the first `up` said."""
    environment = {**os.environ, "SAMSPIL_HOME": str(tmp_path_factory.mktemp("home") / "bus")}

    def run(*arguments: str) -> Ran:
        program = [sys.executable, "-m", "deploy.cli.main", *arguments]
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=180, check=False)

    started = run("up", "--detach", "--clock", "events")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        assert "The overview: http://127.0.0.1:" in started.stdout
        yield run, started
    finally:
        run("down")


@pytest.fixture(scope="module")
def samspil(running: tuple[Samspil, Ran]) -> Samspil:
    return running[0]


def status(samspil: Samspil) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(samspil("status", "--json").stdout)
    return told


def test_every_part_is_ready_and_its_own_process(samspil: Samspil) -> None:
    told = status(samspil)
    assert told["state"] == "ready"
    assert told["clock"] == "events"
    assert set(told["parts"]) == PARTS
    assert {part["state"] for part in told["parts"].values()} == {"ready"}
    assert len({part["pid"] for part in told["parts"].values()}) == len(PARTS)
    assert httpx.get(told["url"] + "/readyz", timeout=5).status_code == 200


def test_nothing_in_the_home_is_for_others_to_read(samspil: Samspil) -> None:
    home = Path(status(samspil)["home"])
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "credentials.json").stat().st_mode & 0o077 == 0


def test_the_token_is_shown_and_written_nowhere(running: tuple[Samspil, Ran]) -> None:
    samspil, started = running
    home = Path(status(samspil)["home"])
    [token] = [line for line in started.stdout.splitlines() if line.startswith("eyJ")]
    program = f"{sys.executable} -m deploy.cli.main"
    assert f"party: {program} token PARTY\n" in started.stdout
    assert f"Stop with {program} down." in started.stdout
    written = [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert not written
    assert "eyJ" not in (home / "logs" / "up.log").read_text()


def test_a_second_up_says_so_in_one_line(samspil: Samspil) -> None:
    again = samspil("up")
    assert again.returncode == 2
    assert again.stderr.startswith("samspil is already running in")
    assert len(again.stderr.splitlines()) == 1


def test_topics_are_as_the_catalogue_says(samspil: Samspil) -> None:
    applied = samspil("topics", "apply", "--json")
    assert json.loads(applied.stdout) == {"created": 0, "altered": 0, "granted": 0, "revoked": 0}


@pytest.mark.parametrize("names", [("web", "worker"), ("postgres", "kafka")], ids="+".join)
def test_killed_parts_come_back(samspil: Samspil, names: tuple[str, ...]) -> None:
    before = status(samspil)["parts"]
    for name in names:
        os.kill(before[name]["pid"], signal.SIGKILL)

    def back() -> bool:
        told = status(samspil)
        fresh = all(told["parts"][name]["pid"] != before[name]["pid"] for name in names)
        return bool(told["state"] == "ready" and fresh)

    eventually_sync(back, timeout=120)
    after, log = status(samspil), (Path(status(samspil)["home"]) / "logs" / "up.log").read_text()
    for name in names:
        assert after["parts"][name]["restarts"] == before[name]["restarts"] + 1
        assert f"{name} is ready again" in log


def test_down_stops_all_and_the_next_up_has_the_same_address_and_data(samspil: Samspil) -> None:
    told = status(samspil)
    assert samspil("down").returncode == 0
    assert "stopping (SIGTERM); a moment" in (Path(told["home"]) / "logs" / "up.log").read_text()
    assert status(samspil) == {"home": told["home"], "state": "stopped", "parts": {}}
    assert not any(Path(f"/proc/{part['pid']}").exists() for part in told["parts"].values())
    started = samspil("up", "--detach", "--clock", "events")
    assert started.returncode == 0, started.stdout + started.stderr
    assert "(0 new)" in started.stdout
    assert status(samspil)["url"] == told["url"]
