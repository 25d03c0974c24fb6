"""What a newcomer does in the wrong order, or with a stray character, is put right or told in one line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cli.follow import _line
from deploy.embedded.home import Home, Run
from producers.publisher import Publisher
from schemas.errors import MisconfiguredError
from tests.wire import SCENARIO

SAMSPIL = Path(sys.executable).with_name("samspil")
CPR = "251248-9996"
FINE, NO, CANNOT = 0, 1, 2


def samspil(home: Path, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SAMSPIL, *arguments],
        env={**os.environ, "SAMSPIL_HOME": str(home), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command ended with."""
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (CANNOT, "", 1), run.stdout + run.stderr
    return run.stderr


def test_a_token_before_the_first_start_leaves_a_home_that_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert samspil(home, "token", "ku").returncode == FINE
    assert home.stat().st_mode & 0o077 == 0
    Home(home).ensure()


def test_a_token_of_keys_elsewhere_needs_no_home(tmp_path: Path) -> None:
    keys = {"SAMSPIL_ISSUER_KEYS": str(tmp_path / "keys")}
    assert samspil(tmp_path / "home", "token", "ku", **keys).returncode == FINE
    assert not (tmp_path / "home").exists()


def test_a_token_makes_no_home_of_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    assert "is no samspil home" in refused(samspil(tmp_path, "token", "ku"))
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


@pytest.mark.parametrize("token", ["abc\ndef", "Bearer abc", "ærlig", " ", "a=b"])
def test_what_is_no_bearer_token_is_said_at_once_and_not_repeated(token: str, tmp_path: Path) -> None:
    by_variable = samspil(tmp_path, "publish", "--as", "ku", SCENARIO, SAMSPIL_TOKEN=token)
    by_option = samspil(tmp_path, "publish", "--as", "ku", SCENARIO, "--token", token)
    said = refused(by_variable)
    assert said == refused(by_option)
    assert "--token or SAMSPIL_TOKEN" in said


def test_a_token_may_come_with_the_end_of_its_line(tmp_path: Path) -> None:
    run = samspil(tmp_path, "publish", "--as", "ku", SCENARIO, SAMSPIL_TOKEN="abc.def-g_h= \n")
    assert "samspil up" in refused(run)  # the token is taken; there is only no bus


async def test_a_request_that_cannot_be_written_is_not_sent_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # a request is written once somebody listens
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with Publisher(url, "abc\n", patience=5) as publisher:
            with pytest.raises(MisconfiguredError, match="token") as caught:
                await publisher.verdict("6f1f3c7e-58f6-4a3e-9d0c-1f2d3b4a5c6d")
    assert caught.value.__cause__ is None
    assert "abc" not in str(caught.value)


def test_an_address_with_a_password_is_not_repeated(tmp_path: Path) -> None:
    run = samspil(tmp_path, "publish", "--as", "ku", SCENARIO, SAMSPIL_URL="http://ku:hemmeligt@127.0.0.1:9/")
    said = refused(run)
    assert "nothing answers at SAMSPIL_URL." in said
    assert "hemmeligt" not in said


@pytest.mark.parametrize("command", [("audit", "verify"), ("follow", "--as", "ku")])
def test_a_stopped_bus_is_said_to_be_started(command: tuple[str, ...], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # nobody listens there any more
    ports = {"kafka": port, "controller": port, "postgres": port, "http": port}
    Home(tmp_path).note(Run(pid=1, ports=ports, clock="wall", since="", url="", state="stopped"))
    (tmp_path / "credentials.json").write_text('{"audit": "a", "ku": "k"}')
    assert "nothing answers at Kafka's address: start samspil up." in refused(samspil(tmp_path, *command))
    elsewhere = samspil(tmp_path, *command, SAMSPIL_KAFKA_BOOTSTRAP=f"127.0.0.1:{port}")
    assert "nothing answers at SAMSPIL_KAFKA_BOOTSTRAP." in refused(elsewhere)


def test_values_of_a_view_are_shown_as_json_has_them() -> None:
    fields = {"relevant": True, "count": 2, "none": None, "kinds": ["a", "b"], "flags": [False], "text": "x"}
    data = {"fields": fields, "refs": {}, "case_refs": {}, "grounds": []}
    line = _line({"time": "t", "type": "it", "data": data})
    assert "relevant=true count=2 none=null kinds=a,b flags=false text=x" in line


def test_a_folder_without_a_contract_is_said_to_hold_none(tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    run = samspil(tmp_path, "policy", "check", tmp_path)
    assert (run.returncode, run.stdout) == (NO, f"The contract is refused whole: {tmp_path}: holds no contract\n")
