"""What this worker owns: claims come and go with Kafka's assignments.

On revocation no new run is taken and those under way are finished. On assignment, claims that went
elsewhere are released, new ones made, all at once so that a worker serves within seconds; those that stayed
go on where they stand. Should another worker have owned one meanwhile, the first commit is refused as
fenced and the process ends: the broker decides, not our memory.

Failing I/O ends the process (fail-stop): the supervisor starts a fresh one, which restores what was
committed. Nothing in here tries to mend a half-done transaction.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from enum import StrEnum
from typing import Any

import structlog
from aiokafka import TopicPartition

from schemas import topics
from schemas.contract import Contract, Contracts
from schemas.log_events import LogEvent
from streams.claim import Claim
from streams.step import Step
from streams.transport import Run, RunThread
from streams.truncation import Truncation

log = structlog.get_logger()

FailStop = Callable[[BaseException], None]


class Phase(StrEnum):
    """What a worker is at, with its partitions as a whole."""

    SERVING = "serving"  # every assigned partition is claimed
    CLAIMING = "claiming"
    ABANDONING = "abandoning"  # a revocation met claims half made, which are given up
    UNASSIGNED = "unassigned"  # between a revocation and the next assignment, and before the first


class Ownership:
    """The claims of one worker. `thread` gives Faust's consumer thread; `fail` ends the process."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        contracts: Contracts,
        thread: Callable[[], RunThread],
        fail: FailStop,
    ) -> None:
        self._connection = connection
        self._contracts = contracts
        self._thread = thread
        self._fail = fail
        self._steps: dict[str, Step] = {}
        self._claims: dict[TopicPartition, Claim] = {}
        self._making: dict[tuple[TopicPartition, int], Claim] = {}  # by place and epoch
        self._claiming: set[asyncio.Task[None]] = set()
        self._releasing: set[asyncio.Task[None]] = set()
        self._judging = asyncio.Lock()
        self._epoch = 0
        self._assigned = asyncio.Event()
        self._truncation = Truncation(connection, fail)

    def serve(self, step: Step, names: Iterable[str]) -> None:
        """Say which step judges the records of these topics."""
        self._steps.update(dict.fromkeys(names, step))

    @property
    def ready(self) -> bool:
        """Whether partitions were assigned and every one of them is claimed."""
        return self.phase is Phase.SERVING

    @property
    def phase(self) -> Phase:
        """What this worker is at. May be asked from any thread."""
        if self._assigned.is_set():
            return Phase.CLAIMING if self._claiming else Phase.SERVING
        return Phase.ABANDONING if self._claiming else Phase.UNASSIGNED

    @property
    def epoch(self) -> int:
        """Rises with each revocation and each assignment."""
        return self._epoch

    @property
    def places(self) -> frozenset[TopicPartition]:
        """The partitions claimed."""
        return frozenset(self._claims)

    @property
    def positions(self) -> dict[TopicPartition, int]:
        """Where the claims in force stand: the offset after what each has judged. May be asked from any thread.

        Empty from a revocation until the first claim after the next assignment: a run that is still under way then
        is in `under_way` alone.
        """
        claims = self._claims.copy().items()
        return {place: claim.position for place, claim in claims if claim.epoch == self._epoch}

    @property
    def under_way(self) -> dict[TopicPartition, int]:
        """Where those claims stand that judge or tick now, in force or not. May be asked from any thread."""
        return {place: claim.position for place, claim in self._claims.copy().items() if claim.turn.locked()}

    @property
    def moves(self) -> dict[TopicPartition, int]:
        """A number for each claim, in force or not, that rises with all that it does. May be asked from any thread."""
        return {place: claim.moves for place, claim in self._claims.copy().items()}

    @property
    def making(self) -> dict[tuple[TopicPartition, int], int]:
        """A number for each claim that an epoch makes or takes up again, that rises. May be asked from any thread."""
        return {made: claim.moves for made, claim in self._making.copy().items()}

    def start(self) -> None:
        """Begin."""
        self._truncation.start()

    def assigned(self, assigned: Iterable[tuple[str, int]]) -> None:
        """Take over what was assigned; does not wait for it, since the group must not wait."""
        self._epoch += 1
        places = {TopicPartition(*place) for place in assigned}
        gone = [self._claims.pop(place) for place in self._claims.keys() - places]
        for claim in gone:
            self._begin(self._release(claim), self._releasing)
        for place in sorted(places):
            self._begin(self._claim(place, self._epoch), self._claiming)
        self._assigned.set()

    async def revoked(self) -> None:
        """Take no new run, and wait for those under way: after this another worker may own the partitions."""
        self._epoch += 1
        self._assigned.clear()
        self._thread().close_lanes()
        for task in tuple(self._claiming):
            task.cancel()
        await asyncio.gather(*self._claiming, return_exceptions=True)
        claims = tuple(self._claims.values())
        for claim in claims:
            claim.epoch = 0
        for claim in claims:
            async with claim.turn:
                pass

    async def judge(self, run: Run) -> None:
        """Judge a run if it belongs to a claim as it stands now; else its records come again."""
        claim = self._claims.get(run.place)
        if claim is None:
            return
        async with claim.turn:
            if claim.epoch != run.epoch:
                return
            try:
                await claim.judge(run.records)
            except Exception as error:  # noqa: BLE001 - fail-stop: whatever it is, the transaction is not done
                self._failed(claim, error)
                return
            self._truncate(claim)
        self._thread().give(run.place, run.epoch)

    def waiting(self, now: str, contract: Contract) -> tuple[TopicPartition, ...]:
        """Return the partitions in which the time has come for something."""
        return tuple(place for place, claim in self._claims.items() if claim.epoch and claim.any_due(now, contract))

    async def tick(self, place: TopicPartition, now: str, contract: Contract, end: int) -> bool:
        """Say what the time has come for in a partition, if all that stands before an end in its input is judged.

        In some of its cases only, and tell whether more may be due: where very many are, runs and a revocation that
        wait have their turn between.
        """
        claim = self._claims.get(place)
        if claim is None:
            return False
        async with claim.turn:
            if claim.epoch != self._epoch or not await self._thread().drained(place, claim.epoch, end):
                return False
            try:
                return await claim.tick(now, contract)
            except Exception as error:  # noqa: BLE001 - fail-stop, as for a run
                self._failed(claim, error)
                return False

    async def close_files(self) -> None:
        """Have the files of each claimed partition's log, states and share of the views closed."""
        for place, claim in tuple(self._claims.items()):
            if place.topic != topics.ADMITTED:
                continue
            at_home = [
                party for party in self._contracts.parties if topics.partition_of(party.encode()) == place.partition
            ]
            async with claim.turn:
                if claim.epoch != self._epoch:
                    continue
                try:
                    await claim.close_files(at_home)
                except Exception as error:  # noqa: BLE001 - fail-stop, as for a run
                    self._failed(claim, error)

    async def close(self) -> None:
        """Finish what is under way and release everything, in order."""
        await self.revoked()
        await asyncio.gather(*(self._release(claim) for claim in self._claims.values()), *self._releasing)
        self._claims.clear()
        await self._truncation.stop()

    async def _claim(self, place: TopicPartition, epoch: int) -> None:
        start = time.monotonic()
        claim = self._claims.get(place) or self._new(place)
        self._making[place, epoch] = claim
        try:
            await self._make(claim, epoch, start)
        finally:
            del self._making[place, epoch]

    async def _make(self, claim: Claim, epoch: int, start: float) -> None:
        place = claim.place
        if place not in self._claims:
            await self._restore(claim)
        claim.epoch = epoch
        if not await self._thread().open(place, epoch, claim.position):
            return  # revoked meanwhile; the next assignment decides
        self._truncate(claim)
        log.info(
            LogEvent.PARTITION_CLAIMED,
            step=claim.step.name,
            topic=place.topic,
            partition=place.partition,
            offset=claim.position,
            seconds=round(time.monotonic() - start, 3),
        )

    def _new(self, place: TopicPartition) -> Claim:
        return Claim(place, self._steps[place.topic], self._connection, self._judging)

    async def _restore(self, claim: Claim) -> None:
        try:
            await claim.fence()
            await claim.restore(self._contracts)
            claim.go_on_from(await self._thread().committed(claim.place))
        except BaseException:
            await claim.release()
            raise
        self._claims[claim.place] = claim

    async def _release(self, claim: Claim) -> None:
        await claim.release()
        log.info(
            LogEvent.PARTITION_REVOKED,
            step=claim.step.name,
            topic=claim.place.topic,
            partition=claim.place.partition,
        )

    def _truncate(self, claim: Claim) -> None:
        if claim.place.topic != topics.ADMITTED:
            self._truncation.ask(claim.place, claim.position)

    def _begin(self, work: Coroutine[Any, Any, None], under_way: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _failed(self, claim: Claim, error: Exception) -> None:
        log.error(
            LogEvent.STEP_FAILED,
            step=claim.step.name,
            topic=claim.place.topic,
            partition=claim.place.partition,
            error=type(error).__name__,
        )
        self._fail(error)
