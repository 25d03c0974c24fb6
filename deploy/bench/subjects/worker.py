"""The real worker with its real steps; or with ADMIT alone, beside a COORDINATE that does nothing.

Where its clock stands, no tick has anything to say.
"""

import asyncio
from pathlib import Path
from typing import ClassVar

from deploy import logs, worker
from deploy.bench.order import Order
from deploy.clock import EventsClock, WallClock
from schemas.contract_files import load_all
from schemas.records import Inbound
from streams.batch import Batch


class Idle:
    """A step that reads and forgets: what is left of COORDINATE is its reading and its commits."""

    name: ClassVar[str] = "coordinate"
    remembers: ClassVar[bool] = False

    def judge(self, batch: Batch, record: Inbound) -> None:
        pass


def run(order: Order) -> None:
    logs.configure("worker")
    contracts = load_all(Path(order.policies))
    clock = EventsClock(contracts) if order.options.get("clock_stands") else WallClock()
    steps = worker.steps(contracts, clock)
    if order.options.get("admit_alone"):
        steps = worker.Steps(steps.admit, Idle(), steps.clock)
    asyncio.run(worker.serve(order.aiokafka, contracts, steps, Path(order.ready), order.name))
