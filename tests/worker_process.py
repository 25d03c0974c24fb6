"""A worker as a process of its own, so that a test can kill it. Run as a script, it is that worker.

`poison` names events that no step can judge: the steps of the test's worker raise for them. `still` names one
on which the worker stands still, after the word for how; `patience` is how long it may.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy import logs, worker
from schemas import admission, contract_files, judge
from schemas.case import State
from schemas.contract import Contract
from schemas.envelope import Admitted, Event
from schemas.records import Headers
from schemas.verdicts import Refusal
from streams.admit import Admit
from streams.coordinate import Coordinate
from streams.watchdog import PATIENCE
from tests import standstills
from tests.standstills import Standstill
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
POLICIES = ROOT / "deploy" / "policies"


class PoisonError(Exception):
    """What a fault in a step would raise; its text must reach nobody: 251248-9996"""


class WorkerProcess:
    """A worker under test. Started anew as often as one likes."""

    def __init__(
        self,
        connection: Mapping[str, str],
        home: Path,
        member: str = "worker-1",
        clock: str = "wall",
        poison: Sequence[str] = (),
        policies: Path = POLICIES,
        still: tuple[Standstill, str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / "worker.log"
        self._ready = home / "worker.ready"
        self._order = json.dumps(
            {
                "connection": dict(connection),
                "ready": str(self._ready),
                "member": member,
                "clock": clock,
                "poison": list(poison),
                "policies": str(policies),
                "still": still,
                "patience": patience,
            }
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        assert self._process.stdin is not None
        self._process.stdin.write(self._order.encode())
        self._process.stdin.close()

    async def ready(self) -> None:
        """Return once every partition is claimed."""

        def claimed() -> bool:
            assert self.exit_code is None, self.log.read_text()
            return self._ready.exists()

        await eventually(claimed, timeout=60)

    @property
    def exit_code(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    def kill(self) -> None:
        """As a crash would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """In order; gives the exit status."""
        self._signal(signal.SIGTERM)
        assert self._process is not None
        return self._process.wait(30)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(30)


def _steps(contracts: Any, clock: Any, poison: frozenset[str], still: tuple[str, str] | None) -> worker.Steps:
    usual = worker.steps(contracts, clock)
    if not poison and not still:
        return usual

    def admit(contract: Contract, party: str, headers: Headers, value: bytes | None, now: Any) -> Event | Refusal:
        if dict(headers).get("ce_correlationid", b"").decode() in poison:
            raise PoisonError
        return admission.admit(contract, party, headers, value, now)

    def decide(contract: Contract, before: State, admitted: Admitted) -> judge.Judgement:
        if admitted.event.id in poison:
            raise PoisonError
        if still and admitted.event.id == still[1]:
            standstills.begin(Standstill(still[0]))
        return judge.judge(contract, before, admitted)

    assert isinstance(usual.admit, Admit)
    return worker.Steps(
        Admit(contracts, clock, usual.admit.salt, admit=admit),
        Coordinate(contracts, usual.admit.salt, decide=decide),
        clock,
    )


async def _serve(order: Mapping[str, Any]) -> None:
    contracts = contract_files.load_all(Path(order["policies"]))
    clock = await worker.bus_clock(order["clock"], contracts, order["connection"])
    steps = _steps(contracts, clock, frozenset(order["poison"]), order["still"])
    still = order["still"]
    standstills.prepare(Standstill(still[0]) if still else None)
    await worker.serve(order["connection"], contracts, steps, Path(order["ready"]), order["member"], order["patience"])


if __name__ == "__main__":
    logs.configure("worker")
    asyncio.run(_serve(json.load(sys.stdin)))
