"""Processes that are started again whenever they end, as a supervisor would, and that a fault can reach."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from deploy.embedded.parts import MISCONFIGURED
from deploy.embedded.processes import Child, Children, Command

_PAUSE_SECONDS = 0.5  # before what ended by itself is started again
_LOOK_SECONDS = 0.2


class RefusesToStartError(Exception):
    """A process says that starting it again will not help; its log says why."""


class Kept:
    """One of them. `before` is called before each start."""

    def __init__(self, children: Children, command: Command, before: Callable[[], object] = lambda: None) -> None:
        self.name = command.name
        self.ended_alone = 0  # times that it ended without our doing
        self._children = children
        self._command = command
        self._before = before
        self._child: Child | None = None
        self._again_at = 0.0
        self._wanted = False
        self._lock = threading.RLock()

    @property
    def is_wanted(self) -> bool:
        return self._wanted

    @property
    def is_done(self) -> bool:
        """Whether it ended by itself, content."""
        return self._child is not None and self._child.exit_code() == 0

    @property
    def log(self) -> Path:
        return self._command.log

    @property
    def told(self) -> str:
        """What it is at, in words."""
        if self._child is None:
            return "was never started"
        code = self._child.exit_code()
        return f"{'runs' if code is None else f'ended with {code}'}; ended without our doing {self.ended_alone} times"

    def start(self) -> None:
        with self._lock:
            self._wanted = True
            self._again_at = 0.0
            self._before()
            self._child = self._children.start(self._command)

    def kill(self) -> bool:
        """As a crash would, and start again; False if it has ended."""
        with self._lock:
            if self._present.exit_code() is not None:
                return False
            self._present.kill()
            self.start()
            return True

    def retire(self) -> None:
        """Stop in order, for good."""
        with self._lock:
            self._wanted = False
            self._present.stop()

    def send(self, number: signal.Signals) -> bool:
        """Signal it; False if it has ended."""
        with self._lock:
            if self._present.exit_code() is not None:
                return False
            os.killpg(self._present.pid, number)
            return True

    def replace(self) -> Child:
        """Start another in its place and return the one that was there."""
        with self._lock:
            old = self._present
            self.start()
            return old

    def look(self) -> None:
        """Start it again if it has ended by itself. Raises RefusesToStartError."""
        with self._lock:
            if not self._wanted or self._child is None or (code := self._child.exit_code()) in {None, 0}:
                return
            if code == MISCONFIGURED:
                raise RefusesToStartError(self._command.log)
            if not self._again_at:
                self.ended_alone += 1
                self._again_at = time.monotonic() + _PAUSE_SECONDS
            elif time.monotonic() >= self._again_at:
                self._child.kill()  # whatever it left in its group
                self.start()

    @property
    def _present(self) -> Child:
        if self._child is None:
            raise RuntimeError(self.name)
        return self._child


class Keeper(threading.Thread):
    """Looks after all of them in the background; what it cannot mend it keeps for who asks."""

    def __init__(self) -> None:
        super().__init__(name="keeper", daemon=True)
        self._all: list[Kept] = []
        self._stopping = threading.Event()
        self.failure: Exception | None = None

    def add(self, kept: Kept) -> Kept:
        self._all.append(kept)
        return kept

    @property
    def ended_alone(self) -> int:
        return sum(kept.ended_alone for kept in self._all)

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                for kept in tuple(self._all):
                    kept.look()
            except Exception as failure:  # noqa: BLE001 - nothing is started again from here on, whatever it is
                self.failure = failure
                return

    def stop(self) -> None:
        self._stopping.set()
        self.join()
