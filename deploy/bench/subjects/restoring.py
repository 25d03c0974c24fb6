"""Reading every partition's states as a worker does when it claims them all, without a worker around it."""

import asyncio
import time
from pathlib import Path

from deploy import garbage
from deploy.bench.memory import resident_mb
from deploy.bench.order import Order
from schemas import topics
from schemas.contract_files import load_all
from streams.states import restore


def run(order: Order) -> None:
    garbage.look_seldom()
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    contracts = load_all(Path(order.policies))
    before, began = resident_mb(), time.perf_counter()
    restored = await asyncio.gather(
        *(restore(order.aiokafka, partition, contracts) for partition in range(topics.PARTITIONS))
    )
    seconds = time.perf_counter() - began
    cases = sum(len(states) for states in restored)
    order.answer({"seconds": seconds, "cases": cases, "before_mb": before, "after_mb": resident_mb()})
