"""Starting measured processes, and what they answered."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.bench.broker import Broker
from deploy.bench.order import Order
from deploy.embedded.credentials import ADMIN, write_private
from deploy.embedded.processes import Child, Command, tail
from schemas.errors import UnreachableError

ROOT = Path(__file__).parents[2]
_READY_SECONDS = 120.0
_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Subject:
    """What to start: its module, how it signs in, with which interpreter."""

    kind: str
    principal: str = ADMIN
    python: Path = Path(sys.executable)


class Running:
    """A measured process."""

    def __init__(self, child: Child, order: Order, log: Path) -> None:
        self.name = order.name
        self.started_at = time.time()
        self._child = child
        self._order = order
        self._log = log

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_ready(self, seconds: float = _READY_SECONDS) -> float:
        """Return how long it took from its start (seconds)."""
        self._child.wait_ready(Path(self._order.ready).exists, seconds)
        return time.time() - self.started_at

    def answer(self, seconds: float) -> dict[str, Any]:
        """Return its figures once it has ended."""
        deadline = time.monotonic() + seconds
        while self._child.exit_code() is None:
            if time.monotonic() > deadline:
                raise UnreachableError(f"{self._order.kind} took longer than {seconds:.0f} s.")
            time.sleep(_PAUSE)
        result = Path(self._order.result)
        if not result.exists():
            raise UnreachableError(f"{self._order.kind} ended without figures. The end of its log:\n{tail(self._log)}")
        found: dict[str, Any] = json.loads(result.read_text())
        return found

    def require_running(self) -> None:
        if (code := self._child.exit_code()) is not None:
            raise UnreachableError(f"{self._order.kind} ended with {code}. The end of its log:\n{tail(self._log)}")

    def end(self) -> None:
        """End it without ceremony: what was measured is on the topics."""
        self._child.kill()


class Processes:
    """Starts the processes of one benchmark; every start has a name of its own."""

    def __init__(self, broker: Broker, policies: Path) -> None:
        self._broker = broker
        self.policies = policies
        self._count = 0

    def start(
        self, subject: Subject, options: Mapping[str, Any] | None = None, begin_at: float = 0.0, name: str | None = None
    ) -> Running:
        self._count += 1
        folder = self._broker.home / "run" / str(self._count)
        folder.mkdir(parents=True)
        access = self._broker.access(subject.principal)
        order = Order(
            kind=subject.kind,
            name=name or f"bench.{subject.kind}.{self._count}".replace("_", "-"),
            access={"bootstrap": access.bootstrap, "principal": access.principal, "password": access.password},
            policies=str(self.policies),
            result=str(folder / "result.json"),
            ready=str(folder / "ready"),
            options={"folder": str(folder), **(options or {})},
            begin_at=begin_at,
        )
        paper, log = folder / "order.json", self._broker.home / "logs" / f"{order.name}.log"
        write_private(paper, order.text())
        arguments = [str(subject.python), "-m", "deploy.bench.subject", str(paper)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return Running(self._broker.children.start(Command(order.name, arguments, log, environment)), order, log)

    @contextmanager
    def running(
        self, subject: Subject, options: Mapping[str, Any] | None = None, name: str | None = None
    ) -> Iterator[Running]:
        process = self.start(subject, options, name=name)
        try:
            yield process
        finally:
            process.end()
