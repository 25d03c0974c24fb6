"""The audit by several processes: each takes a share of the bus, and their reports are added up.

Judging again is work for a core, and a process has one. What is audited is settled before they begin, so that they
are of one mind; each then reads for itself. They end with the command, however it ends: told to when it fails or is
interrupted, and by themselves when it is gone.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from consumers.audit.findings import Report, merged
from consumers.audit.reading import Extent, audit
from consumers.audit.share import EVERYTHING, MOST, Share, shares
from deploy import clients, garbage
from deploy.cli import reach
from deploy.cli.console import CANNOT
from deploy.kafka_access import KafkaAccess
from schemas.contract_files import load_all
from schemas.errors import StalledError

_WORTH = 30_000  # records; with fewer, starting another process takes longer than it saves
_LOOK = 0.2

Tell = Callable[[int], None]  # how many records were read so far
_READ: ContextVar["Synchronized[int]"] = ContextVar("read")


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be audited, by contracts from where, and how Kafka is reached: all that a process needs to know."""

    access: KafkaAccess
    policies: Path
    extent: Extent


def fitting(extent: Extent) -> int:
    """Return how many processes to use where nobody has said: the cores that there are, as far as it is worth it."""
    return max(1, min(len(os.sched_getaffinity(0)), MOST, extent.size // _WORTH))


def audited(work: Work, processes: int, tell: Tell) -> Report:
    """Audit all of it. Raises UnreachableError, and StalledError where a process was ended from outside."""
    return _together(work, processes, tell) if processes > 1 else _alone(work, tell)


def _alone(work: Work, tell: Tell) -> Report:
    read = 0

    def count(more: int) -> None:
        nonlocal read
        read += more
        tell(read)

    return _audit(work, EVERYTHING, count)


def _together(work: Work, processes: int, tell: Tell) -> Report:
    context = multiprocessing.get_context("spawn")
    read = context.Value("Q", 0)
    with ProcessPoolExecutor(processes, context, _begin, (read,)) as pool, _ending():
        with _uninterrupted():
            futures = [pool.submit(_share, work, share) for share in shares(processes)]
        # Not through its lock: a process that was ended may have taken it along.
        return merged(_answers(futures, lambda: tell(read.get_obj().value)))


@contextmanager
def _ending() -> Iterator[None]:
    """End the processes that are still at work when something else ends it."""
    try:
        yield
    except BaseException as error:
        for child in multiprocessing.active_children():
            child.terminate()
        if isinstance(error, BrokenProcessPool):
            raise StalledError("a process of this audit was ended from outside.") from None
        raise


def _answers(futures: Sequence[Future[Report]], tell: Callable[[], None]) -> list[Report]:
    waiting = True
    while waiting:
        done, left = wait(futures, _LOOK, FIRST_EXCEPTION)
        tell()
        for one in done:
            one.result()  # the first that failed is why all fail
        waiting = bool(left)
    return [one.result() for one in futures]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start processes that Ctrl-C passes by: it is this one that ends them. What is typed meanwhile comes after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(read: "Synchronized[int]") -> None:
    _READ.set(read)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(CANNOT)


def _share(work: Work, share: Share) -> Report:
    return _audit(work, share, _count)


def _count(more: int) -> None:
    read = _READ.get()
    with read.get_lock():
        read.value += more


def _audit(work: Work, share: Share, progress: Callable[[int], None]) -> Report:
    garbage.look_seldom()
    opened = partial(clients.consumer, work.access)
    return reach.run(audit(opened, load_all(work.policies), work.extent, progress, share))
