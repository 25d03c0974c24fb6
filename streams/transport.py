"""Reading: Faust's transport, with one message per fetched run of a partition instead of one per record.

Faust's own loop makes several tasks per record; that is where its time goes. Here the consumer thread
takes whole runs, and only of partitions whose lane is open. Opening a lane seeks to where its claim
continues, in the thread that fetches, so within an epoch no record is skipped; a run of an older epoch
is dropped, which loses nothing because the next epoch seeks again. A lane's credit bounds what waits.

Leans on private attributes of Faust 0.15.3: tests/contract/test_faust_attributes.py holds each.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiokafka
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.dealing import CatalogueAssignor
from streams.group_consumer import GroupConsumer

POLL_MS = 50  # how soon a lane that opened meanwhile is looked at
FETCH_WAIT_MS = 200  # a fetch in flight asks for the lanes as they were: this bounds the wait of the others
PACE = 0.025  # seconds from one fetch to the next
SESSION_MS = 6_000  # how long a dead worker's partitions stand still; no less is taken by a broker as it comes
HEARTBEAT_MS = 1_500
REBALANCE_MS = 30_000  # for the others to finish their runs: longer than a transaction may take
_PAUSE_SECONDS = 0.1  # before the group's coordinator is asked again
_CREDIT = 2  # runs of a partition that may wait or be judged: one each
_CAREFUL = 500


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records of one partition, fetched in one go under one claim (its epoch)."""

    place: TopicPartition
    epoch: int
    records: tuple[ConsumerRecord, ...]


@dataclass(slots=True)
class _Lane:
    epoch: int
    next: int  # the offset after what was delivered
    credit: int = _CREDIT
    careful: int = 0  # so many records are read one by one


class RunThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer. Lanes are touched in it alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lanes: dict[TopicPartition, _Lane] = {}

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        assert isinstance(transport, Transport)  # noqa: S101 - our app's transport makes our thread
        # read_committed: what ADMIT wrote and aborted was never said. Faust would read it.
        return GroupConsumer(
            **transport.connection,
            pace=PACE,
            group_id=self.app.conf.id,
            # A static member: one that was killed and started again goes on at once with what it had,
            # instead of waiting for its own dead self to time out.
            group_instance_id=self.app.conf.consumer_group_instance_id,
            partition_assignment_strategy=[CatalogueAssignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_MS,
        )

    async def committed(self, place: TopicPartition) -> int:
        """Return where the group continues: its committed offset, else the oldest record.

        Asks until it is told. Raises KafkaError where that is refused.
        """
        while True:
            try:
                return int(await self.call_thread(self._committed, place))
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)  # here, not in the thread: its queue serves the open lanes too

    async def _committed(self, place: TopicPartition) -> int:
        consumer = self._ensure_consumer()
        offset = await consumer.committed(place)
        found = offset if offset is not None else (await consumer.beginning_offsets([place]))[place]
        return int(found)

    async def open(self, place: TopicPartition, epoch: int, offset: int) -> bool:
        """Deliver a partition's runs from an offset on; False if the partition is not ours any more."""
        return bool(await self.call_thread(self._open, place, epoch, offset))

    async def _open(self, place: TopicPartition, epoch: int, offset: int) -> bool:
        try:
            self._ensure_consumer().seek(place, offset)
        except IllegalStateError:
            return False
        self._lanes[place] = _Lane(epoch, offset)
        return True

    def give(self, place: TopicPartition, epoch: int) -> None:
        """Let one more run of a partition come. Called from any thread."""
        self.thread_loop.call_soon_threadsafe(self._give, place, epoch)

    def _give(self, place: TopicPartition, epoch: int) -> None:
        if (lane := self._lanes.get(place)) and lane.epoch == epoch:
            lane.credit += 1

    async def drained(self, place: TopicPartition, epoch: int, end: int) -> bool:
        """Whether all that stands before an end of a partition was delivered, and judged."""
        return bool(await self.call_thread(self._drained, place, epoch, end))

    async def _drained(self, place: TopicPartition, epoch: int, end: int) -> bool:
        lane = self._lanes.get(place)
        if lane is None or lane.epoch != epoch or lane.credit < _CREDIT:
            return False
        # The client's own position, since markers of transactions are passed over and never delivered.
        return int(await self._ensure_consumer().position(place)) >= end

    def close_lanes(self) -> None:
        """Deliver nothing until lanes are opened anew. Called from any thread."""
        self.thread_loop.call_soon_threadsafe(self._lanes.clear)

    async def next_runs(self) -> list[Run]:
        """Return the runs that came for open lanes, after a short wait at most."""
        runs: list[Run] = await self.call_thread(self._next_runs)
        return runs

    async def _next_runs(self) -> list[Run]:
        runs = [run for place in tuple(self._lanes) for run in await self._take(place)]
        if not runs:
            await self._news()
        return runs

    async def _take(self, place: TopicPartition) -> list[Run]:
        """Return what was fetched of one partition. One at a time, so that one's bad record is its own matter."""
        lane = self._lanes.get(place)
        if lane is None or lane.credit <= 0:
            return []
        most = 1 if lane.careful else None
        try:
            fetched = await self._ensure_consumer().getmany(place, timeout_ms=0, max_records=most)
        except UnicodeDecodeError:
            return self._unreadable(place)
        return self._tagged(place, fetched.get(place, []))

    def _unreadable(self, place: TopicPartition) -> list[Run]:
        """Go on after the client met a record that it cannot read: a header's name that is no UTF-8.

        It loses the run and its place by that. So the run is read again record by record, and what cannot be
        read then is delivered as an empty record. Only inboxes can hold one, and their offsets have no gaps.
        """
        if (lane := self._lanes.get(place)) is None:
            return []
        if not lane.careful:
            lane.careful = _CAREFUL
            self._ensure_consumer().seek(place, lane.next)
            return []
        self._ensure_consumer().seek(place, lane.next + 1)
        empty = ConsumerRecord(place.topic, place.partition, lane.next, 0, 0, None, None, None, -1, -1, ())
        return self._tagged(place, [empty])

    def _tagged(self, place: TopicPartition, records: list[ConsumerRecord]) -> list[Run]:
        # The lane as it is now: nothing was awaited since the records came.
        if not records or (lane := self._lanes.get(place)) is None:
            return []
        lane.credit -= 1
        lane.careful = max(0, lane.careful - 1)
        lane.next = records[-1].offset + 1
        return [Run(place, lane.epoch, tuple(records))]

    async def _news(self) -> None:
        """Wait a moment for something fetched. Raises what the fetch was refused for."""
        waiter = self._ensure_consumer()._fetcher._create_fetch_waiter()  # noqa: SLF001 - getmany waits so itself
        await asyncio.wait([waiter], timeout=POLL_MS / 1000)
        if waiter.done():
            waiter.result()
        else:
            waiter.cancel()


class Consumer(driver.Consumer):
    """Faust's consumer, reading runs."""

    _thread: RunThread

    @property
    def lanes(self) -> RunThread:
        """The thread that opens and closes lanes."""
        return self._thread

    def _new_consumer_thread(self) -> RunThread:
        return RunThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Seek nowhere: each lane was sought to its claim's position, and Faust knows none."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver runs until stopped. Called by Faust's fetcher."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # noqa: SLF001 - as Faust's own loop asks
                for run in await self._thread.next_runs():
                    await self.callback(self._message(run))
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise

    def _message(self, run: Run) -> ConsumerMessage:
        place = TP(run.place.topic, run.place.partition)
        offset = run.records[0].offset
        # Faust's stream drops, silently, what carries another generation than the group's newest.
        value: Any = run  # to Faust a message's value is bytes; our schema hands the run through
        return ConsumerMessage(
            *place, offset, 0.0, 0, {}, None, value, None, tp=place, generation_id=self.app.consumer_generation_id
        )


class Transport(driver.Transport):
    """Set on `app.transport` before the first topic is made. `connection`: arguments of aiokafka's clients."""

    Consumer = Consumer
    connection: Mapping[str, Any]

    @classmethod
    def on(cls, app: Any, connection: Mapping[str, Any]) -> "Transport":
        """Make the transport of an app."""
        transport = cls(app.conf.broker_consumer, app)
        transport.connection = connection
        return transport


class RunSchema(Schema[Any, Any]):
    """Hands a run through untouched: the pure step decodes, where nothing that it finds can be lost."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Any]:
        """Return Faust's decoder of messages."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - Faust's signature
            return app.create_event(None, message.value, {}, message)

        return decode
