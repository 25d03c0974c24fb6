"""Writing alone: what COORDINATE makes of the load, made beforehand, through its own transactions.

How fast the worker could be at most if judging took no time at all, and reading neither.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from aiokafka import TopicPartition

from deploy import garbage
from deploy.bench.load import Load
from deploy.bench.order import Order
from schemas import topics
from schemas.contract_files import load_all
from schemas.records import Inbound, Outbound
from streams.claim import BATCH
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from streams.transactions import Transactions

Made = tuple[tuple[Outbound, ...], int]  # what is written, and the position after it


def run(order: Order) -> None:
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    made = {partition: _judged(order, run) for partition, run in _runs(order).items()}
    writers = {partition: Transactions(f"{order.name}.{partition}", order.aiokafka) for partition in made}
    await asyncio.gather(*(writer.start() for writer in writers.values()))
    garbage.look_seldom()  # after what was made beforehand: it is there to stay
    order.say_ready()
    async with asyncio.TaskGroup() as group:
        for partition, batches in made.items():
            group.create_task(_write(order.name, writers[partition], partition, batches))
    await asyncio.Event().wait()  # until it is ended, as every program here


def _runs(order: Order) -> dict[int, list[Inbound]]:
    load = Load(load_all(Path(order.policies)).newest, order.options["seed"], order.options["at_once"])
    runs: dict[int, list[Inbound]] = defaultdict(list)
    for _, record in islice(load.admitted(), order.options["events"]):
        run = runs[record.partition]
        run.append(Inbound(record.topic, record.partition, len(run), record.key, record.value, record.headers))
    return runs


def _judged(order: Order, run: Sequence[Inbound]) -> list[Made]:
    step, memory, made = Coordinate(load_all(Path(order.policies)), lambda: "00" * 16), States(), list[Made]()
    for start in range(0, len(run), BATCH):
        some = run[start : start + BATCH]
        outcome = judged(step, some, memory)
        memory.keep(outcome.states)
        made.append((outcome.outputs, start + len(some)))
    return made


async def _write(group: str, writer: Transactions, partition: int, batches: Sequence[Made]) -> None:
    place = TopicPartition(topics.ADMITTED, partition)
    for outputs, position in batches:
        await writer.commit(writer.pack(outputs), {place: position}, group)
