"""Children of this process: started in a group of their own, stopped in order, never left behind.

A supervisor that is killed outright can stop nothing. So one small second process, the reaper, is told of
every child over a pipe; when the pipe closes without a farewell, it stops whatever is still there.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import reaper
from schemas.errors import MisconfiguredError, UnreachableError

TAIL_LINES = 25
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: a name for people, the argument list, its log, and the signal that stops it in order."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20


class Children:
    """All children of one owner, and the reaper that outlives it. Closed once: then nothing starts any more."""

    def __init__(self) -> None:
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__], stdin=subprocess.PIPE, start_new_session=True, text=True
        )
        self._telling = threading.Lock()  # children are started and stopped from several threads
        self._alive: list[Child] = []
        self._closed = False

    def start(self, command: Command) -> "Child":
        if self._closed:
            raise UnreachableError(f"{command.name} is not started: everything is being stopped.")
        child = Child(command, self._forget)
        self._alive.append(child)
        self._tell(f"+ {child.pid} {int(command.stop_signal)}")
        return child

    def close(self) -> None:
        """Stop what still runs, newest first, and let the reaper go."""
        self._closed = True
        for child in reversed(list(self._alive)):
            child.stop()
        if self._reaper.stdin is not None:
            self._reaper.stdin.close()
        self._reaper.wait()

    def _forget(self, child: "Child") -> None:
        if child in self._alive:
            self._alive.remove(child)
            self._tell(f"- {child.pid} 0")

    def _tell(self, line: str) -> None:
        with self._telling:
            if self._reaper.stdin is not None and self._reaper.poll() is None:
                print(line, file=self._reaper.stdin, flush=True)


class Child:
    """A running child process and its process group."""

    def __init__(self, command: Command, ended: Callable[["Child"], None]) -> None:
        self.command = command
        self._ended = ended
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if command.environment is None else dict(command.environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask, wait, then kill the whole group."""
        if self.exit_code() is None:
            self._signal(self.command.stop_signal)
            try:
                self._process.wait(self.command.stop_seconds)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self.kill()

    def kill(self) -> None:
        """As a crash would: no warning, the whole group and whatever was left in it."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._ended(self)

    def wait_ready(self, probe: Callable[[], bool], seconds: float) -> None:
        """Return once the probe holds; raise with the log's end when the child ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not probe():
            if (code := self.exit_code()) is not None:
                raise self._failed(f"{self.command.name} ended with code {code} before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"{self.command.name} was not ready within {seconds:.0f} s")
            time.sleep(_PAUSE_SECONDS)

    def _failed(self, what: str) -> UnreachableError:
        return UnreachableError(f"{what}. The end of {self.command.log}:\n{tail(self.command.log)}")

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


def run(name: str, arguments: Sequence[str], log: Path, seconds: float = 300) -> None:
    """A program that ends by itself; its output goes to the log, whose end is shown when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=seconds, check=False
            )
        except FileNotFoundError as missing:
            raise MisconfiguredError(f"the program {arguments[0]} is missing.") from missing
        except subprocess.TimeoutExpired as late:
            raise UnreachableError(f"{name} took longer than {seconds:.0f} s.") from late
    if done.returncode:
        raise UnreachableError(f"{name} failed with code {done.returncode}. The end of {log}:\n{tail(log)}")


def tail(log: Path) -> str:
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
