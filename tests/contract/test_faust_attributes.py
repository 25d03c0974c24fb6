"""What we lean on in Faust 0.15.3 and aiokafka 0.14.0 beyond their documentation, one by one.

An upgrade that breaks one of these breaks the streaming core, perhaps silently: read streams/transport.py
and the release notes before changing an expectation here.
"""

import inspect
from importlib.metadata import version

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.producer.message_accumulator import BatchBuilder
from faust import streams
from faust.app.base import App, BootStrategy
from faust.tables.recovery import Recovery
from faust.transport import consumer as consumer_module
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode import Service
from mode.threads import QueueServiceThread

from deploy.worker import application
from streams.transport import Consumer, RunThread, Transport

CONNECTION = {"bootstrap_servers": "127.0.0.1:1"}


@pytest.mark.parametrize(("distribution", "pinned"), [("faust-streaming", "0.15.3"), ("aiokafka", "0.14.0")])
def test_the_versions_are_the_ones_read(distribution: str, pinned: str) -> None:
    assert version(distribution) == pinned


def test_the_fetcher_delegates_to_the_consumers_drain() -> None:
    assert "consumer._drain_messages(self)" in inspect.getsource(consumer_module)
    assert list(inspect.signature(consumer_module.Consumer._drain_messages).parameters) == ["self", "fetcher"]


def test_the_consumer_makes_its_thread_and_the_thread_its_client() -> None:
    assert "self._new_consumer_thread()" in inspect.getsource(consumer_module.ThreadDelegateConsumer)
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


def test_calls_reach_the_thread_in_order() -> None:
    """Opening a lane is one step in that thread; two calls are taken from one queue."""
    assert inspect.iscoroutinefunction(QueueServiceThread.call_thread)
    assert issubclass(RunThread, QueueServiceThread)


async def test_services_know_when_they_are_stopped() -> None:
    class Any(Service):
        pass

    assert not Any()._stopped.is_set()


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


def test_send_batch_gives_a_future() -> None:
    """It is awaited before the offsets are handed over: see streams/transactions.py."""
    assert "return future" in inspect.getsource(AIOKafkaProducer.send_batch)
