"""(f) The log told again as the auditor tells it, beside reading it alone.

Partitions have nothing in common (a case lives in one), so they can be shared out among processes: measured with
one process and with one for each core. The log is what COORDINATE makes of the load, made without a worker.
"""

import os
import time
from collections.abc import Iterator
from itertools import islice

from deploy.bench.broker import Place, places
from deploy.bench.figures import Figure, Series
from deploy.bench.filling import fill
from deploy.bench.ground import Ground
from deploy.bench.processes import Subject
from schemas import topics
from schemas.contract import Contracts
from schemas.records import Inbound, Outbound
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged

_TOGETHER = 3.0  # seconds until all processes have started
_SECONDS = 900.0


def measure(ground: Ground) -> list[Figure]:
    """Read one log again and again."""
    ground.broker.fresh()
    fill(ground.broker.access(), _log(ground))
    cores = os.cpu_count() or 1
    ways = [(1, False, Series("f.raw", "raw getmany over the log, one process", "records/s"))]
    ways += [(1, True, Series("f", "audit: fold and decide over the log, one process"))]
    if cores > 1:
        ways += [
            (cores, False, Series(f"f.raw.{cores}", f"raw getmany over the log, {cores} processes", "records/s")),
            (cores, True, Series(f"f.{cores}", f"audit: fold and decide over the log, {cores} processes")),
        ]
    for number in range(1, ground.scale.runs + 1):
        for processes, retold, series in ways:
            _run(ground, processes, series, retold=retold)
            ground.say(f"run {number}: {series.what}: {series.runs[-1]:,.0f} {series.unit}")
    return [series.figure() for _, _, series in ways]


def _run(ground: Ground, count: int, series: Series, *, retold: bool) -> None:
    ends = sorted(ground.broker.ends(places(topics.LOG)).items(), key=_by_partition)
    begin_at = time.time() + _TOGETHER
    shares = [[[*place, end] for place, end in ends[number::count]] for number in range(count)]
    running = [
        ground.processes.start(Subject("audit"), {"retold": retold, "ends": share}, begin_at) for share in shares
    ]
    try:
        answers = [process.answer(_SECONDS) for process in running]
    finally:
        for process in running:
            process.end()
    seconds = max(answer["ended"] for answer in answers) - min(answer["began"] for answer in answers)
    records = sum(answer["records"] for answer in answers)
    series.add(records / seconds, records=records, findings=sum(answer["findings"] for answer in answers))


def _by_partition(item: tuple[Place, int]) -> int:
    return item[0][1]


def _log(ground: Ground) -> Iterator[Outbound]:
    """Yield the log that COORDINATE writes."""
    step, memory = Coordinate(Contracts([ground.contract]), lambda: "00" * 16), States()
    for offset, (_, record) in enumerate(islice(ground.load().admitted(), ground.scale.events)):
        inbound = Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)
        outcome = judged(step, [inbound], memory)
        memory.keep(outcome.states)
        yield from (output for output in outcome.outputs if output.topic == topics.LOG)
