"""What we lean on in Faust 0.15.3 and aiokafka 0.14.0 beyond their documentation, one by one.

An upgrade that breaks one of these breaks the streaming core, perhaps silently: read streams/transport.py
and the release notes before changing an expectation here.
"""

import asyncio
import inspect
import threading
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IllegalStateError,
    NotCoordinatorForGroupError,
    UnknownError,
    for_code,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.producer.sender import Sender
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords
from faust import streams
from faust.agents.agent import Agent
from faust.app.base import App, BootStrategy
from faust.tables.recovery import Recovery
from faust.transport import conductor
from faust.transport import consumer as consumer_module
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service
from mode.threads import QueueServiceThread

from deploy.worker import application
from streams.transport import Consumer, Run, RunSchema, RunThread, Transport

PLACE = TopicPartition("samspil.admitted.v1", 3)
PLACED = TP(*PLACE)  # as Faust says it
CONNECTION = {"bootstrap_servers": "127.0.0.1:1"}


@pytest.mark.parametrize(("distribution", "pinned"), [("faust-streaming", "0.15.3"), ("aiokafka", "0.14.0")])
def test_the_versions_are_the_ones_read(distribution: str, pinned: str) -> None:
    assert version(distribution) == pinned


def test_a_group_coordinator_is_asked_and_forgotten_as_we_do_it() -> None:
    """streams/group_consumer.py asks in its place, since it passes over the answer's own error."""
    assert "self._coordinator.fetch_committed_offsets([partition])" in inspect.getsource(AIOKafkaConsumer.committed)
    asking = inspect.getsource(GroupCoordinator._do_fetch_commit_offsets)
    assert "OffsetFetchRequest(self.group_id, list(partitions_by_topic.items()))" in asking
    assert "response.error_code" not in asking  # else ours may go
    sending = inspect.getsource(GroupCoordinator._send_req)
    assert "node_id = self.coordinator_id" in sending
    assert "node_id, request, group=ConnectionGroup.COORDINATION" in sending
    assert inspect.iscoroutinefunction(GroupCoordinator.ensure_coordinator_known)
    assert list(inspect.signature(GroupCoordinator.coordinator_dead).parameters) == ["self"]
    consumer = inspect.getsource(AIOKafkaConsumer)
    for attribute in ("_client = AIOKafkaClient(", "_group_id = group_id", "_coordinator = GroupCoordinator("):
        assert f"self.{attribute}" in consumer
    later = (GroupLoadInProgressError, GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)
    assert [(error.errno, error.retriable) for error in later] == [(14, True), (15, True), (16, True)]
    assert (UnknownError.retriable, for_code(88)) == (False, UnknownError)  # ends the worker: nothing is guessed


def test_the_fetcher_delegates_to_the_consumers_drain() -> None:
    assert "consumer._drain_messages(self)" in inspect.getsource(consumer_module)
    assert list(inspect.signature(consumer_module.Consumer._drain_messages).parameters) == ["self", "fetcher"]


def test_the_consumer_makes_its_thread_and_the_thread_its_client() -> None:
    assert "self._thread = self._new_consumer_thread()" in inspect.getsource(consumer_module.ThreadDelegateConsumer)
    assert "self._create_worker_consumer(transport)" in inspect.getsource(
        driver.AIOKafkaConsumerThread._create_consumer
    )
    assert list(inspect.signature(driver.AIOKafkaConsumerThread._create_worker_consumer).parameters) == [
        "self",
        "transport",
    ]


@pytest.mark.parametrize("name", ["__post_init__", "_ensure_consumer"])
def test_the_driver_thread_has(name: str) -> None:
    assert callable(getattr(driver.AIOKafkaConsumerThread, name))


async def test_calls_run_in_the_thread_and_answer_here() -> None:
    """Lanes are touched in that thread alone: by calls, and by what is handed to its loop."""

    async def whereabouts(*given: int) -> tuple[str, asyncio.AbstractEventLoop, tuple[int, ...]]:
        return threading.current_thread().name, asyncio.get_running_loop(), given

    async def failing() -> None:
        raise LookupError

    thread = QueueServiceThread()
    await thread.start()
    try:
        name, loop, given = await thread.call_thread(whereabouts, 1, 2)
        assert name != threading.current_thread().name
        assert loop is thread.thread_loop
        assert given == (1, 2)
        with pytest.raises(LookupError):
            await thread.call_thread(failing)
    finally:
        await thread.stop()
    assert issubclass(RunThread, QueueServiceThread)


async def test_services_know_when_they_are_stopped() -> None:
    class Some(Service):
        pass

    service = Some()
    assert not service._stopped.is_set()
    assert not service.should_stop
    await service.start()
    await service.stop()
    assert service._stopped.is_set()
    assert service.should_stop


def test_positions_are_sought_through_perform_seek_alone() -> None:
    """Ours seeks nowhere; should Faust seek by another way, lanes would lose their place."""
    assert "consumer.perform_seek()" in inspect.getsource(Recovery._resume_streams)
    assert "perform_seek" in vars(Consumer)


def test_a_stream_drops_messages_of_another_generation() -> None:
    """So our messages carry the newest, and a lane is opened after Faust has learned it."""
    assert "message.generation_id != self.app.consumer_generation_id" in inspect.getsource(streams)
    listener = inspect.getsource(driver.ConsumerRebalanceListener.on_partitions_assigned)
    assert listener.index("consumer_generation_id") < listener.index("thread.on_partitions_assigned")


def test_a_message_takes_a_run() -> None:
    place = TP("samspil.admitted.v1", 3)
    message = ConsumerMessage(*place, 7, 0.0, 0, {}, None, None, None, tp=place, generation_id=5)
    assert (message.topic, message.partition, message.offset, message.tp) == (*place, 7, place)
    assert message.generation_id == 5


def test_actors_are_made_before_we_hear_of_an_assignment() -> None:
    source = inspect.getsource(App._on_partitions_assigned)
    assert source.index("self.agents.on_rebalance") < source.index("self.on_partitions_assigned.send")


def test_queues_are_emptied_before_we_hear_of_a_revocation() -> None:
    source = inspect.getsource(App._on_partitions_revoked)
    assert source.index("self.flow_control.clear") < source.index("self.on_partitions_revoked.send")


async def test_the_app_starts_no_web_server_and_no_producer() -> None:
    app = application(CONNECTION, "contract")
    assert isinstance(app.boot_strategy, BootStrategy)
    started = [type(service).__name__ for service in app.boot_strategy.server()]
    assert "Web" not in started
    assert "Producer" not in started
    assert "Consumer" in started
    assert isinstance(app.consumer, Consumer)
    app.consumer.lanes.thread_loop.close()  # never started


async def test_the_app_makes_no_directory_and_no_topic() -> None:
    app = application(CONNECTION, "contract")
    assert "on_first_start" in vars(type(app))
    assert app.conf.topic_allow_declare is False
    assert app.conf.topic_disable_leader is True


async def test_the_app_uses_our_transport_for_its_consumer() -> None:
    app = application(CONNECTION, "contract")
    assert isinstance(app.transport, Transport)
    assert isinstance(app.consumer, Consumer)
    assert isinstance(app.consumer.lanes, RunThread)
    app.consumer.lanes.thread_loop.close()  # never started
    assert app.conf.id == "samspil.worker"
    assert app.conf.consumer_group_instance_id == "contract"


async def test_a_service_tells_of_its_crash() -> None:
    class Fragile(Service):
        pass

    service, whole = Fragile(), Fragile()
    await service.crash(ValueError())
    assert (service.crashed, whole.crashed) == (True, False)
    assert isinstance(service.crash_reason, ValueError)


def test_the_fetcher_tells_of_news() -> None:
    """As getmany itself waits: ours asks partition by partition, and then waits for any of them."""
    source = inspect.getsource(Fetcher.fetched_records)
    assert "waiter = self._create_fetch_waiter()" in source
    assert "if drained or not timeout" in source


def test_a_batch_says_when_a_record_does_not_fit() -> None:
    batch = BatchBuilder(1024, 0, is_transactional=1)
    assert batch.append(timestamp=None, key=b"k", value=b"v" * 600, headers=[]) is not None
    assert batch.append(timestamp=None, key=b"k", value=b"v" * 600, headers=[]) is None


def test_a_batch_says_how_full_it_is() -> None:
    batch = BatchBuilder(1024, 0, is_transactional=1)
    assert batch.record_count() == 0
    batch.append(timestamp=None, key=b"k", value=b"v" * 600, headers=[])
    assert batch.record_count() == 1
    assert 600 < batch.size() < 700


def test_send_batch_gives_a_future() -> None:
    """It is awaited before the offsets are handed over: see streams/transactions.py."""
    assert "return future" in inspect.getsource(AIOKafkaProducer.send_batch)


async def test_a_run_passes_faust_untouched() -> None:
    """From the message through the topic's schema to the agent's event."""
    app = application(CONNECTION, "contract")
    topic = app.topic(PLACE.topic, schema=RunSchema(), acks=False, internal=False)
    value: Any = Run(PLACE, 1, ())
    message = ConsumerMessage(*PLACED, 0, 0.0, 0, {}, None, value, None, tp=PLACED, generation_id=0)
    event = await topic.decode(message)
    assert event.value is value
    assert event.key is None


async def test_what_is_read_is_handed_to_the_consumers_callback() -> None:
    app = application(CONNECTION, "contract")
    assert isinstance(app.consumer, Consumer)
    assert app.consumer.callback == app.topics.on_message
    app.consumer.lanes.thread_loop.close()  # never started


async def test_faust_commits_nothing_of_a_topic_without_acks() -> None:
    """Else it would commit what no transaction of ours has."""
    app = application(CONNECTION, "contract")
    assert isinstance(app.consumer, Consumer)
    message = ConsumerMessage(*PLACED, 5, 0.0, 0, {}, None, None, None, tp=PLACED, generation_id=0)
    assert app.consumer.ack(message) is False
    assert not any(app.consumer._acked.values())
    assert "if channel.acks:" in inspect.getsource(conductor.Conductor._update_indices)
    app.consumer.lanes.thread_loop.close()  # never started


def test_an_agent_may_have_an_actor_a_partition() -> None:
    assert "isolated_partitions" in inspect.signature(Agent.__init__).parameters


def test_an_agent_that_yields_nothing_replies_nothing() -> None:
    """A record's headers name who is replied to; ours are coroutines, which Faust only awaits."""
    awaited, consumed = inspect.getsource(Agent._prepare_actor).split("        else:")
    assert "if isinstance(aref, Awaitable):" in awaited
    assert "self._slurp(" in consumed
    assert "_reply" not in inspect.getsource(Agent._execute_actor)


def test_the_first_start_makes_directories_and_nothing_else() -> None:
    """Ours replaces it by nothing."""
    body = inspect.getsource(App.on_first_start).split('"""')[-1].split()
    assert body == ["self._create_directories()"]


def test_partitions_that_faust_paused_are_resumed_by_it() -> None:
    """It pauses what is assigned until its tables stand. A lane of a paused partition would get nothing."""
    source = inspect.getsource(Recovery._resume_streams)
    assert source.index("consumer.resume_partitions") < source.index("app.flow_control.resume()")


def test_a_revocation_waits_for_us() -> None:
    """Nobody else is given our partitions while a run of ours is under way."""
    assert "await T(self.on_partitions_revoked.send)(revoked)" in inspect.getsource(App._on_partitions_revoked)
    between = inspect.getsource(consumer_module.ThreadDelegateConsumer.threadsafe_partitions_revoked)
    assert "await promise" in between
    prepare = inspect.getsource(GroupCoordinator._on_join_prepare)
    assert "await res" in prepare
    rejoin = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert rejoin.index("self._on_join_prepare") < rejoin.index("self._do_rejoin_group")


def test_a_static_member_does_not_leave_when_it_stops() -> None:
    """So a restart in order moves nothing; and a worker that is taken away is only missed after its session."""
    leave = inspect.getsource(GroupCoordinator._maybe_leave_group)
    assert "if self.generation > 0 and self._group_instance_id is None" in leave


async def test_only_what_is_assigned_can_be_sought() -> None:
    """So a lane is not opened for what went elsewhere meanwhile."""
    subscribed = SubscriptionState()
    subscribed.assign_from_user([TopicPartition(PLACE.topic, 4)])
    with pytest.raises(IllegalStateError):
        subscribed.seek(PLACE, 0)
    assert "self._subscriptions.seek(tp, offset)" in inspect.getsource(Fetcher.seek_to)
    assert "self._fetcher.seek_to(partition, offset)" in inspect.getsource(AIOKafkaConsumer.seek)


def test_a_seek_discards_what_was_fetched_elsewhere() -> None:
    """So that the first run of a lane begins where its claim stands."""
    assert "del self._records[tp]" in inspect.getsource(Fetcher.seek_to)
    assert "position != self._partition_records.next_fetch_offset" in inspect.getsource(FetchResult.check_assignment)
    assert "if not self.check_assignment(tp)" in inspect.getsource(FetchResult.getall)


def test_the_client_keeps_its_fetcher_and_asks_it() -> None:
    assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer.start)
    assert "self._fetcher.fetched_records(" in inspect.getsource(AIOKafkaConsumer.getmany)


def test_every_fetch_goes_through_what_a_pace_holds_back() -> None:
    """streams/paced_consumer.py stands before it. Closing awaits a cancelled fetch, which must end without raising."""
    assert "self._proc_fetch_request(assignment, node_id, request)" in inspect.getsource(
        Fetcher._fetch_requests_routine
    )
    assert "elif node_id in self._in_flight:" in inspect.getsource(Fetcher._get_actions_per_node)  # one at a time
    fetching = inspect.getsource(Fetcher._proc_fetch_request)
    assert "self._client.send(node_id, request)" in fetching
    rounds = inspect.getsource(Fetcher._fetch_requests_routine)
    assert "has_new_data = any(fut.result()" in rounds  # False wakes nobody
    # And however a fetch ends, the next round makes its requests anew.
    assert rounds.index("while True") < rounds.index("self._get_actions_per_node(assignment)")
    assert "set(chain(self._pending_tasks" in rounds
    assert "await x" in inspect.getsource(Fetcher.close)
    cancelled = fetching.partition("except asyncio.CancelledError:")[2]
    assert cancelled.partition("return")[2].startswith(" False")


def test_a_waiter_is_a_future_that_news_resolve_and_errors_fail() -> None:
    """Each waits for itself; a cancelled one is passed over."""
    source = inspect.getsource(Fetcher._create_fetch_waiter)
    assert "create_future" in source
    assert "self._fetch_waiters.add(" in source
    assert "if future is not None and not future.done():" in inspect.getsource(Fetcher._notify)


def test_a_stopped_client_says_so() -> None:
    assert "raise ConsumerStoppedError" in inspect.getsource(AIOKafkaConsumer.getmany)
    assert issubclass(ConsumerStoppedError, Exception)


def test_a_record_is_made_as_we_make_an_empty_one() -> None:
    empty = ConsumerRecord(*PLACE, 7, 0, 0, None, None, None, -1, -1, ())
    assert (empty.topic, empty.partition, empty.offset) == (*PLACE, 7)
    assert (empty.key, empty.value, empty.headers) == (None, None, ())


class _Unreadable(str):
    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def test_a_headers_name_that_is_no_text_fails_the_whole_run() -> None:
    """Where the client learns to pass such a record on, streams/transport need not be careful any more."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 16)
    builder.append(0, None, None, b"{}", [("x", b"y")])
    builder.append(1, None, None, b"{}", [(_Unreadable("x"), b"y")])
    batch = MemoryRecords(bytes(builder.build())).next_batch()
    with pytest.raises(UnicodeDecodeError):
        list(batch)


def test_a_producers_sending_task_can_be_ended() -> None:
    """producers/inbox.py hangs up where a stop did not come to an end."""
    assert "self._sender_task.cancel()" in inspect.getsource(Sender.close)
    assert "self._sender = Sender(" in inspect.getsource(AIOKafkaProducer.__init__)
    assert "await self._sender.close()" in inspect.getsource(AIOKafkaProducer.stop)
