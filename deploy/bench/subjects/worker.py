"""The real worker with its real steps; or with ADMIT alone, beside a COORDINATE that does nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from deploy import logs, worker
from deploy.bench.order import Order
from deploy.clock import WallClock
from schemas.contract_files import load_all
from schemas.records import Inbound
from streams.step import Memory, Outcome


class Idle:
    """A step that reads and forgets: what is left of COORDINATE is its reading and its commits."""

    name: ClassVar[str] = "coordinate"
    remembers: ClassVar[bool] = False

    def judge(self, run: Sequence[Inbound], memory: Memory) -> Outcome:  # noqa: ARG002 - it judges nothing
        return Outcome(())


def run(order: Order) -> None:
    logs.configure("worker")
    contracts = load_all(Path(order.policies))
    steps = worker.steps(contracts, WallClock())
    if order.options.get("admit_alone"):
        steps = worker.Steps(steps.admit, Idle(), steps.clock)
    asyncio.run(worker.serve(order.aiokafka, contracts, steps, Path(order.ready), order.name))
