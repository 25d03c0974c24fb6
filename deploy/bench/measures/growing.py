"""(g) and (i): as the number of cases grows, how long a worker takes to be there, and what an event then costs.

Events come once the worker is ready. Each size is a fresh broker topic, so one filling serves all. There are events of
random ones of all cases, where hardly any is heard twice in a transaction; and of the same few, which tells what it
costs to hold the others. The worker's clock stands: all cases are alike, so all of them would be due at once, and what
a tick says of a million is not what an event costs.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from deploy.bench.broker import places
from deploy.bench.cases import Cases
from deploy.bench.figures import Figure, Series, rate_since
from deploy.bench.filling import fill, stamps
from deploy.bench.ground import Ground
from deploy.bench.memory import resident_mb
from deploy.bench.processes import Running, Subject
from schemas import topics
from schemas.errors import MisconfiguredError
from schemas.records import Outbound
from schemas.rights import WORKER_GROUP

_SECONDS = 900.0
_WARM_UP = 6  # one event in so many is for a worker to begin with; few, since cases grow by them
_APART = 1_000  # between the seeds of two ways to hear, and of a run and the one before it that nobody counts


@dataclass(frozen=True, slots=True)
class _Heard:
    """Of how many of the cases there are events in a run, and what came of it. `seeds`: added to a run's own."""

    series: Series
    among: int
    seeds: int

    def cases(self, of: int, number: int) -> range:
        """Return the cases of a run: such as no run before has made larger, where there are others."""
        first = number * self.among % of
        return range(first, first + self.among)


class _Size:
    """One number of cases and its figures."""

    def __init__(self, ground: Ground, cases: int, as_large_as: int | None = None) -> None:
        """`as_large_as`: how many cases there are where these would be found."""
        events, least = ground.scale.events_on_cases, ground.scale.cases[0]
        # What each case has heard halfway through a run, where the fewest cases hear the most.
        heard = events // _WARM_UP + events / 2
        more = max(0, round(heard * (1 / least - 1 / (as_large_as or cases))))
        self.count = cases
        self.cases = Cases(ground.contract, more)
        size = f"{cases:,} cases"
        self.restoring = Series(f"g.restore.{cases}", f"recovery: states of {size} read, all partitions", "s")
        self.ready = Series(f"g.ready.{cases}", f"recovery: worker ready with {size}", "s")
        self.memory = Series(f"g.memory.{cases}", f"recovery: worker's memory with {size}", "MB")
        self.any = _Heard(Series(f"i.any.{cases}", f"COORDINATE with {size}, events of random ones"), cases, 0)
        same = Series(f"i.same.{cases}", f"COORDINATE with {size}, events of the same {least:,}")
        self.same = _Heard(same, least, 2 * _APART)


def measure(ground: Ground, *, recovery: bool, cost: bool) -> list[Figure]:
    """Measure each size in each round; the largest in the first alone, since filling it in takes minutes."""
    sizes = [_Size(ground, cases) for cases in ground.scale.cases]
    rounds = range(1, ground.scale.runs + 1)
    *often, largest = sizes
    few = _Size(ground, sizes[0].count, largest.count)  # beside which the same cases are heard among more
    for number in rounds:
        for size in often:
            heard = [size.any] if size is sizes[0] else [size.any, size.same]
            _run(ground, size, [number], heard if cost else [], recovery=recovery)
        if cost:
            _run(ground, few, [number], [few.same], recovery=False)
        if number == 1:
            _run(ground, largest, rounds, [largest.any, largest.same] if cost else [], recovery=recovery)
    found = [series for size in sizes for series in (size.restoring, size.ready, size.memory)] if recovery else []
    if cost:
        found += [*(size.any.series for size in sizes), *(size.same.series for size in (few, *sizes[1:]))]
    return [series.figure() for series in found]


def _run(ground: Ground, size: _Size, numbers: Sequence[int], heard: Sequence[_Heard], *, recovery: bool) -> None:
    broker = ground.broker
    broker.fresh()
    fill(broker.access(), size.cases.states(size.count))
    os.sync()  # or the system writes them to disk while something is measured
    if recovery:
        _restore(ground, size)
    with ground.processes.running(Subject("worker", "worker"), {"clock_stands": True}) as process:
        ready = process.wait_ready(_SECONDS)
        if recovery:
            size.ready.add(ready)
            size.memory.add(resident_mb(process.pid))
            ground.say(f"{size.ready.what}: {ready:.1f} s, {size.memory.runs[-1]:.0f} MB")
        for way, number in product(heard, numbers):
            cases, events = way.cases(size.count, number), ground.scale.events_on_cases
            first = size.cases.events(events // _WARM_UP, cases, way.seeds + number)
            _hear(ground, first, process)  # not counted: a worker's first events cost more
            rate = _hear(ground, size.cases.events(events, cases, way.seeds + number + _APART), process)
            way.series.add(rate, events=events)
            ground.say(f"run {number}: {way.series.what}: {rate:,.0f} events/s")


def _restore(ground: Ground, size: _Size) -> None:
    with ground.processes.running(Subject("restoring", "worker")) as process:
        found = process.answer(_SECONDS)
    grown = found["after_mb"] - found["before_mb"]
    size.restoring.add(found["seconds"], cases=found["cases"], memory_mb=grown, state_bytes=size.cases.state_bytes)
    ground.say(f"{size.restoring.what}: {found['seconds']:.1f} s, {grown} MB")


def _hear(ground: Ground, events: Iterable[Outbound], process: Running) -> float:
    """Return how many events a second are judged. Raises MisconfiguredError where the log has other than these."""
    broker, said = ground.broker, list(events)  # made before, so written fast
    begins = {topic: broker.ends(places(topic)) for topic in (topics.ADMITTED, topics.LOG)}
    fill(broker.access(), said)
    broker.wait_consumed(WORKER_GROUP, broker.ends(places(topics.ADMITTED)), process.require_running)
    told, taken = stamps(broker, begins[topics.ADMITTED]), stamps(broker, begins[topics.LOG])
    if len(taken) != len(said):
        raise MisconfiguredError(f"the log has {len(taken)} records of {len(said)} events for cases in one situation.")
    # From the first event's coming: with a few runs a partition, their first commits may come all at once.
    return rate_since(taken, told[0])
