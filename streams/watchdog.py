"""Ending a worker that stands still: alive and a member of the group, while records wait and none is judged.

Nobody else would notice. The group hears the worker's heartbeats, so its partitions stay where they are for
as long as it lives. What it catches: a step that never returns, a client that never comes back after a broker
went away, a run that was lost on its way to a step.

It looks from a thread and a loop of its own, with a client of its own, since the worker's may be what stands.
A second watch needs not even the interpreter: a timer in C, wound up again and again, ends the process when that
stops, as it does where a step holds the interpreter's lock.

Only looks that the broker answered count, and only the pause before each, if the one before was answered too: in
time in which nobody is answered, a fresh process would not be either.
"""

import asyncio
import faulthandler
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import StalledError
from schemas.log_events import LogEvent
from streams.lag import Lag
from streams.ownership import Phase
from streams.standstill import Standstill

# Longer than all that a worker may rightly wait for, one at a time: a request to a broker that fell silent (40 s), a
# group that waits for its lost members (6 s) and for all to be done (30 s), an older owner's open transaction (10 s),
# all other claims' judging (half a second each). A claim that is being made tells of each of its stages.
# A setting of less is refused: see deploy/settings.py.
PATIENCE = 60.0
_LOOKS = 12  # within that time
_ANSWER_SECONDS = 15.0  # of the broker to all questions of one look
_STOP_SECONDS = 2.0  # then it ends with the process: it may be asking a broker that is gone
_STANDARD_ERROR = 2  # itself: Faust puts something else in place of Python's

log = structlog.get_logger()


class Watched(Protocol):
    """What is watched. Asked from another thread."""

    @property
    def phase(self) -> Phase:
        """What it is at."""

    @property
    def epoch(self) -> int:
        """Rises with each revocation and each assignment."""

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """Where the claims in force stand."""

    @property
    def under_way(self) -> Mapping[TopicPartition, int]:
        """Where those claims stand that judge a run or tick now, in force or not."""

    @property
    def making(self) -> Mapping[tuple[TopicPartition, int], int]:
        """A number for each claim that is being made, by place and epoch, that rises with each of its stages."""

    @property
    def moves(self) -> Mapping[TopicPartition, int]:
        """A number for each claim, in force or not, that rises with all that it does, each look of a tick too."""


class Watchdog:
    """Watches a worker, and calls `fail` once it stood still for longer than `patience` seconds."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        watched: Watched,
        fail: Callable[[BaseException], None],
        patience: float = PATIENCE,
    ) -> None:
        self._watched = watched
        self._fail = fail
        self._patience = patience
        self._pause = patience / _LOOKS
        self._lag = Lag(connection)
        self._judging: Standstill[TopicPartition] = Standstill(patience, self._pause)
        self._idle: Standstill[Phase] = Standstill(patience, self._pause)
        self._making: Standstill[tuple[TopicPartition, int]] = Standstill(patience, self._pause)
        self._told: set[str] = set()  # why looks failed, since the last one that did not
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    async def stop(self) -> None:
        """End. Whoever stops in order is looked after by its supervisor."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, _STOP_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except BaseException as error:  # noqa: BLE001 - a worker that nobody watches must not go on
            self._fail(error)

    async def _watch(self) -> None:
        winding = asyncio.create_task(self._wind())
        try:
            while not self._stopping.is_set():
                await self.look()
                await asyncio.to_thread(self._stopping.wait, self._pause)
        finally:
            winding.cancel()
            faulthandler.cancel_dump_traceback_later()
            await self._forget_client()

    async def _wind(self) -> None:
        while True:
            # Where the code stood, and no value of it, goes to standard error: there is no other witness.
            faulthandler.dump_traceback_later(self._patience, exit=True, file=_STANDARD_ERROR)
            await asyncio.sleep(self._pause)

    async def look(self) -> bool:
        """Look once, and decide by what is seen; tell whether the broker answered.

        No failed look ends the worker, whatever it failed of. A refusal may be a moment's, of a broker that has just
        started or of rights that are being changed; one that lasts meets the worker's own clients too, and ends it so.
        What the watch alone is refused says nothing against the worker, and a fresh one would be watched no better.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                behind = await self._lag.behind(self._watched.positions)
        except (KafkaError, OSError, TimeoutError) as error:
            self.pass_over(error)
            await self._forget_client()
            return False
        self.decide(behind, time.monotonic())
        return True

    def pass_over(self, error: Exception) -> None:
        """Count nothing for a look that failed; say so once for each kind of failure, until a look succeeds."""
        for still in (self._judging, self._idle, self._making):
            still.pass_over()
        name = type(error).__name__
        if name not in self._told:
            self._told.add(name)
            log.warning(LogEvent.WATCH_BLIND, error=name)

    def decide(self, behind: Mapping[TopicPartition, int], now: float) -> None:
        """Fail where something has stood still for too long. `behind`: where records wait, and for which claim."""
        self._told.clear()
        phase, under_way = self._watched.phase, self._watched.under_way
        standing, moves = {**behind, **under_way}, self._watched.moves
        for place, seconds in self._judging.over({place: moves.get(place, 0) for place in standing}, now).items():
            self._stalled(place, standing[place], seconds)
        # While a run is under way, that is what a revocation waits for, and it is watched by itself.
        idle = phase in {Phase.ABANDONING, Phase.UNASSIGNED} and not under_way
        for seconds in self._idle.over({phase: self._watched.epoch} if idle else {}, now).values():
            log.error(LogEvent.WORKER_STALLED, name=phase.value, seconds=round(seconds, 3))
            self._fail(StalledError(phase.value))
        for (place, _), seconds in self._making.over(self._watched.making, now).items():
            told = {"topic": place.topic, "partition": place.partition, "seconds": round(seconds, 3)}
            log.error(LogEvent.CLAIM_STALLED, **told)
            self._fail(StalledError(f"{place.topic} {place.partition}"))

    def _stalled(self, place: TopicPartition, position: int, seconds: float) -> None:
        log.error(
            LogEvent.PARTITION_STALLED,
            topic=place.topic,
            partition=place.partition,
            offset=position,
            seconds=round(seconds, 3),
        )
        self._fail(StalledError(f"{place.topic} {place.partition}"))

    async def _forget_client(self) -> None:
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._lag.close()
