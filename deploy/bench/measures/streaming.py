"""(a) to (e): events through a program that reads Kafka and writes Kafka, from a backlog.

All read records of the same load, from its beginning, and run one after the other in each round, so that whatever the
machine does meanwhile hits all alike. The rate comes from the broker's own stamps on what they wrote.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from deploy.bench.broker import KEPT, PREFIX, Place, places
from deploy.bench.figures import Figure, Series, rate, rate_since
from deploy.bench.filling import fill, stamps
from deploy.bench.ground import Ground
from deploy.bench.processes import Running, Subject
from schemas import topics
from schemas.errors import MisconfiguredError
from schemas.records import Outbound
from schemas.rights import WORKER_GROUP
from streams.claim import BATCH
from streams.transport import HEARTBEAT_MS, SESSION_MS

_COPIED = KEPT + "copied"
_SECONDS = 60.0
_REMEMBERED = (SESSION_MS - HEARTBEAT_MS) / 1000  # seconds that a stopped worker surely keeps its partitions


@dataclass(frozen=True, slots=True)
class Contender:
    """A program, where it writes, and whether it is left to read everything."""

    series: Series
    subject: Subject
    options: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None  # None: its own name
    target: str = topics.LOG
    whole: bool = True
    alone: bool = False  # needs topics that nobody judged before
    ready_first: bool = False  # is there, and has done something, before it is given what counts
    processes: int = 1
    own_target: bool = False
    source: str = topics.ADMITTED


def coordinates(ground: Ground) -> list[Contender]:
    """Return the worker; one for each core, which share the partitions; and what is left of it without judging."""
    worker = Subject("worker", "worker")
    series, stands = Series("a", "COORDINATE: the worker, whole, exactly once"), {"clock_stands": True}
    one = Contender(series, worker, stands, group=WORKER_GROUP, ready_first=True)
    cores = os.cpu_count() or 1
    all_ = replace(one, series=Series(f"a.{cores}", f"COORDINATE: {cores} workers"), processes=cores)
    load = {"seed": ground.seed, "at_once": ground.scale.at_once, "events": ground.scale.events}
    words = "writing only: what COORDINATE writes, made beforehand"
    writing = Contender(Series("a.writing", words), Subject("writing"), load, alone=True)
    return [one, all_, writing] if cores > 1 else [one, writing]


def copies() -> list[Contender]:
    made = []
    for key, what, transactional in (
        ("c.transactional", "aiokafka batch copy, a transaction a fetch", True),
        ("c.plain", "aiokafka batch copy, no transactions", False),
    ):
        options = {
            "source": _COPIED,
            "partitions": topics.PARTITIONS,
            "batch": BATCH,
            "transactional": transactional,
        }
        made.append(Contender(Series(key, what), Subject("copy"), options, own_target=True, source=_COPIED))
    return made


def fausts(parties: Iterable[str]) -> list[Contender]:
    return [
        _peer(
            f"d.{guarantee}",
            f"idiomatic Faust, {guarantee.replace('_', ' ')}",
            Subject("idiomatic_faust"),
            parties,
            guarantee,
        )
        for guarantee in ("at_least_once", "exactly_once")
    ]


def frameworks(parties: Iterable[str], python: Path) -> list[Contender]:
    """Return the peers that live in an environment of their own."""
    named = (
        ("e.faststream.ack_first", "FastStream, its default (offsets by a timer)", "faststream_peer", "ack_first"),
        ("e.faststream.ack", "FastStream, at least once", "faststream_peer", "ack"),
        ("e.quix.at_least_once", "Quix Streams, at least once", "quix_peer", "at-least-once"),
        ("e.quix.exactly_once", "Quix Streams, exactly once", "quix_peer", "exactly-once"),
    )
    return [_peer(key, what, Subject(kind, python=python), parties, promise) for key, what, kind, promise in named]


def _peer(key: str, what: str, subject: Subject, parties: Iterable[str], guarantee: str) -> Contender:
    options = {"guarantee": guarantee, "outputs": outputs(parties)}
    return Contender(Series(key, what), subject, options, whole=False)


def outputs(parties: Iterable[str]) -> list[str]:
    """Return where COORDINATE writes, but for its states."""
    own = [topic for party in parties for topic in (topics.views(party), topics.refusals(party))]
    return [topics.LOG, topics.LEDGER, topics.DEAD, *own]


@dataclass(frozen=True, slots=True)
class _Backlog:
    """What a worker judges before it counts, what counts, and how much of that is accepted."""

    first: tuple[Outbound, ...]
    counted: tuple[Outbound, ...]
    accepted: int


def _backlog(ground: Ground) -> _Backlog:
    """Make all records beforehand: the workers stand stopped while they are written."""
    load, scale = ground.load(), ground.scale
    admitted = islice(load.admitted(), scale.backlog)
    first = tuple(record for _, record in islice(admitted, max(load.ramp, scale.events // 5)))
    accepted, counted = 0, []
    for said, record in admitted:
        accepted += said.accepted and said.submitted is not None
        counted.append(record)
    return _Backlog(first, tuple(counted), accepted)


def measure(ground: Ground, contenders: Iterable[Contender]) -> list[Figure]:
    """Run every contender once a round."""
    taking_part, accepted = list(contenders), 0
    backlog = _backlog(ground) if any(contender.ready_first for contender in taking_part) else None
    _warm_up(ground)
    for number in range(1, ground.scale.runs + 1):
        filled = False
        for contender in taking_part:
            if contender.ready_first and backlog is not None:
                _run_ready(ground, contender, backlog)
            else:
                if contender.alone or not filled:
                    ground.broker.fresh()
                    accepted, filled = ground.fill_admitted(ground.load(), ground.scale.events), True
                _run(ground, contender, accepted)
            ground.say(f"run {number}: {contender.series.what}: {contender.series.runs[-1]:,.0f} events/s")
    return [contender.series.figure() for contender in taking_part]


def _warm_up(ground: Ground) -> None:
    """Write what is to be copied, and let the broker compile what it will need."""
    ground.broker.fresh()
    ground.broker.make(_COPIED.removeprefix(PREFIX))
    events = islice(ground.load().admitted(), ground.scale.backlog)
    fill(ground.broker.access(), (_moved(record) for _, record in events))
    for contender in copies():
        _run(ground, contender, 0)


def _run_ready(ground: Ground, contender: Contender, backlog: _Backlog) -> None:
    """Let workers that stand idle begin with a backlog, and count from that moment until the last of it is judged.

    They are stopped while it is written. Counting from their first writes would leave out what they had judged by then:
    up to a transaction of every partition. Raises MisconfiguredError where nothing is left for the backlog.
    """
    broker = ground.broker
    broker.fresh()
    fill(broker.access(), backlog.first)
    with ExitStack() as running:
        starts = (ground.processes.running(contender.subject, contender.options) for _ in range(contender.processes))
        workers = [running.enter_context(start) for start in starts]
        for worker in workers:
            worker.wait_ready(_SECONDS)
        _consumed(ground, workers)
        begins = broker.ends(places(contender.target))
        with _stopped(workers):
            fill(broker.access(), backlog.counted)
        began = time.time_ns() // 1_000_000
        _consumed(ground, workers)
    taken = stamps(broker, begins, sent_alone=True)
    contender.series.add(rate_since(taken, began), records=len(taken), expected=backlog.accepted)


@contextmanager
def _stopped(workers: Sequence[Running]) -> Iterator[None]:
    """Freeze them meanwhile. Raises MisconfiguredError where that took so long that the group has forgotten them."""
    for worker in workers:
        os.kill(worker.pid, signal.SIGSTOP)
    since = time.monotonic()
    try:
        yield
        if time.monotonic() - since > _REMEMBERED:
            raise MisconfiguredError(
                "the workers stood stopped too long while the backlog was written: fewer --events."
            )
    finally:
        for worker in workers:
            os.kill(worker.pid, signal.SIGCONT)


def _consumed(ground: Ground, workers: Sequence[Running]) -> None:
    ends = ground.broker.ends(places(topics.ADMITTED))
    ground.broker.wait_consumed(WORKER_GROUP, ends, workers[0].require_running)


def _run(ground: Ground, contender: Contender, accepted: int) -> None:
    broker, scale, options = ground.broker, ground.scale, dict(contender.options)
    begins: dict[Place, int] = broker.ends(places(contender.target))
    expected, skip = accepted, max(ground.load().ramp, scale.events // 5)
    if contender.own_target:
        options["target"] = broker.make(f"copy.{time.monotonic_ns()}")
        begins = dict.fromkeys(_all_partitions(options["target"]), 0)
        expected, skip = scale.backlog, scale.backlog // 5
    if not contender.whole:
        options["states"] = broker.make(f"states.{time.monotonic_ns()}")
        expected, skip = 0, ground.load().ramp
    with ExitStack() as running:
        starts = (ground.processes.running(contender.subject, options) for _ in range(contender.processes))
        process, *_ = [running.enter_context(start) for start in starts]
        if contender.whole:
            ends = broker.ends(_all_partitions(contender.source))
            broker.wait_consumed(contender.group or process.name, ends, process.require_running)
        else:
            _some(ground, process, begins)
    found = stamps(broker, begins, sent_alone=not contender.own_target)
    contender.series.add(rate(found, skip), records=len(found), expected=expected or len(found))


def _some(ground: Ground, process: Running, begins: Mapping[Place, int]) -> None:
    """Let a peer do its share, and for some seconds at least."""
    broker, ramp = ground.broker, sum(begins.values()) + ground.load().ramp
    broker.wait_written(begins, ramp, process.require_running)
    until = time.monotonic() + ground.scale.peer_seconds
    broker.wait_written(begins, ramp + ground.scale.peer_events, process.require_running)
    time.sleep(max(0.0, until - time.monotonic()))
    process.require_running()


def _all_partitions(topic: str) -> list[Place]:
    return [(topic, partition) for partition in range(topics.PARTITIONS)]


def _moved(record: Outbound) -> Outbound:
    return Outbound(_COPIED, record.partition, record.key, record.value, record.headers)
