"""Children are stopped in order, killed when they do not listen, and never outlive their owner."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import home
from deploy.embedded.parts import MISCONFIGURED, Part
from deploy.embedded.processes import Child, Children, Command
from deploy.embedded.supervisor import Supervisor
from schemas.errors import UnreachableError
from tests.waiting import eventually_sync

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

OWNER = """
import sys, time
from pathlib import Path
from deploy.embedded.processes import Children, Command
program = [sys.executable, "-c", "import time; time.sleep(60)"]
print(Children().start(Command("child", program, Path(sys.argv[1]))).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


def command(code: str, log: Path, patience: float = 20) -> Command:
    return Command("child", [sys.executable, "-c", code], log, stop_seconds=patience)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").exists() else True


def test_a_child_that_does_not_listen_is_killed(children: Children, tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = children.start(command(DEAF, log, patience=0.2))
    child.wait_ready(lambda: "up" in log.read_text(), 20)
    child.stop()
    assert child.exit_code() == -signal.SIGKILL


def test_a_child_that_ends_early_shows_the_end_of_its_log(children: Children, tmp_path: Path) -> None:
    child = children.start(command("print('out of luck'); raise SystemExit(3)", tmp_path / "log"))
    with pytest.raises(UnreachableError, match=r"ended with code 3(.|\n)*out of luck"):
        child.wait_ready(lambda: False, 20)


def test_nothing_starts_once_all_is_being_stopped(tmp_path: Path) -> None:
    children = Children()
    children.close()
    with pytest.raises(UnreachableError, match="being stopped"):
        children.start(command("", tmp_path / "log"))


def test_a_killed_owner_leaves_nobody_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.kill()
    eventually_sync(lambda: not is_alive(pid))


def test_what_ends_is_started_again_and_what_refuses_is_not(children: Children, tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(children, said.append)

    def part(name: str, code: str) -> Part:
        return Part(name, lambda all_: all_.start(command(code, tmp_path / name)), lambda: True, 20)

    supervisor.launch(part("steady", "import time; time.sleep(60)"))
    supervisor.launch(part("fickle", "raise SystemExit(1)"))
    supervisor.launch(part("refusing", f"raise SystemExit({MISCONFIGURED})"))

    def settled() -> bool:
        supervisor.look()
        seen = supervisor.seen()
        return seen["fickle"].restarts >= 2 and seen["refusing"].state == "failed"

    eventually_sync(settled)
    assert supervisor.seen()["steady"] == home.Part(state="ready", pid=supervisor.seen()["steady"].pid)
    assert supervisor.seen()["refusing"].restarts == 0
    assert [line for line in said if "fickle ended with code 1" in line]
    supervisor.stop(("steady", "fickle", "refusing"))


def test_what_was_started_again_is_said_to_be_ready_once(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.embedded.supervisor.PROBE_SECONDS", 0.0)
    said: list[str] = []
    supervisor = Supervisor(children, said.append)

    def launch(all_: Children) -> Child:
        return all_.start(command("import time; time.sleep(60)", tmp_path / "log"))

    supervisor.launch(Part("part", launch, lambda: True, 20))
    os.kill(supervisor.seen()["part"].pid or 0, signal.SIGKILL)

    def again() -> bool:
        supervisor.look()
        return supervisor.seen()["part"].restarts == 1 and supervisor.seen()["part"].state == "ready"

    eventually_sync(again)
    supervisor.look()
    assert [line.partition(" (")[0] for line in said][1:] == [
        "part ended with code -9; it is started again in 0.5 s",
        "part is ready again",
    ]
    supervisor.stop(["part"])
