"""Judging alone: the step over runs in memory, without a broker. What is left to gain is in here."""

import time
from collections import defaultdict
from itertools import islice
from pathlib import Path

from deploy import garbage
from deploy.bench.load import Load
from deploy.bench.order import Order
from schemas.contract_files import load_all
from schemas.records import Inbound
from streams.batch import Batch
from streams.claim import BATCH
from streams.coordinate import Coordinate
from streams.states import States


def run(order: Order) -> None:
    garbage.look_seldom()
    contracts = load_all(Path(order.policies))
    load = Load(contracts.newest, order.options["seed"], order.options["at_once"])
    by_partition: dict[int, list[Inbound]] = defaultdict(list)
    for _, record in islice(load.admitted(), order.options["events"]):
        place = by_partition[record.partition]
        place.append(Inbound(record.topic, record.partition, len(place), record.key, record.value, record.headers))
    step = Coordinate(contracts, lambda: "00" * 16)
    memories = {partition: States() for partition in by_partition}
    began = time.perf_counter()
    outputs = dead = 0
    for start in range(0, max(map(len, by_partition.values())), BATCH):
        for partition, records in by_partition.items():
            if some := records[start : start + BATCH]:
                batch = Batch(memories[partition])
                for event in some:
                    step.judge(batch, event)
                    outputs += len(batch.drain())
                outcome = batch.outcome()
                memories[partition].keep(outcome.states)
                outputs += len(outcome.outputs)
                dead += len(outcome.dead)
    seconds = time.perf_counter() - began
    order.answer({"events_per_second": order.options["events"] / seconds, "outputs": outputs, "dead": dead})
