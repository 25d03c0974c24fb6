"""From a party's send on Kafka to its verdict and its views, as committed readers see them.

Sender and readers share one process and its clock. Each party sends through a producer of its own.
"""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy import clients
from deploy.bench.cases import Cases
from deploy.bench.open_loop import said_on_time
from deploy.bench.order import Order
from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.contract_files import load_all
from schemas.records import Outbound

_POLL_MS = 1_000
_PATIENCE = 30.0


def run(order: Order) -> None:
    asyncio.run(_Trial(order).run())


class _Trial:
    """One rate for some seconds, after a warm-up at the same rate."""

    def __init__(self, order: Order) -> None:
        self._order = order
        options = order.options
        contracts = load_all(Path(order.policies))
        rate, warm = options["rate"], options["warm_seconds"]
        wanted = max(2, round(rate * (options["seconds"] + warm)))
        said = Cases(contracts.newest).submitted(wanted, options["cases"], options["seed"])
        self._items = [record for record, _ in said]
        self._counted = {_id(record) for record in self._items[max(1, round(rate * warm)) :]}
        self._due: dict[str, float] = {}
        self._verdicts: dict[str, float] = {}
        self._refused = 0
        self._views: list[float] = []
        self._all_verdicts = asyncio.Event()

    async def run(self) -> None:
        options, access = self._order.options, self._order.access
        consumers = [
            await self._consumer(kinds)
            for kinds in (
                [(topics.LOG, p) for p in range(topics.PARTITIONS)]
                + [(topics.refusals(x), 0) for x in options["parties"]],
                [(topics.views(party), 0) for party in options["parties"]],
            )
        ]
        readers = [
            asyncio.create_task(self._read(consumer, take))
            for consumer, take in zip(consumers, (self._verdict, self._view), strict=True)
        ]
        producers = {
            party: clients.producer(KafkaAccess(access["bootstrap"], party, password))
            for party, password in options["parties"].items()
        }
        await asyncio.gather(*(producer.start() for producer in producers.values()))

        async def say(record: Outbound, due: float) -> None:
            self._due[_id(record)] = due
            await producers[topics.party_of(record.topic)].send(
                record.topic, record.value, record.key, record.partition, headers=list(record.headers)
            )

        said = await said_on_time(self._items, options["rate"], say)
        await asyncio.gather(*said)
        await self._answered()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.gather(*(client.stop() for client in (*producers.values(), *consumers)))
        verdicts = [seen for id_, seen in self._verdicts.items() if id_ in self._counted]
        self._order.answer(
            {
                "verdicts": verdicts,
                "views": self._views,
                "unanswered": len(self._counted) - len(verdicts),
                "refused": self._refused,
            }
        )

    async def _answered(self) -> None:
        """Wait for the last verdict, and a moment longer for the views that came with it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_verdicts.wait(), _PATIENCE)
        await asyncio.sleep(_POLL_MS / 1000)

    async def _consumer(self, places: list[tuple[str, int]]) -> AIOKafkaConsumer:
        consumer = clients.consumer(KafkaAccess(**self._order.access))
        await consumer.start()
        at = [TopicPartition(*place) for place in places]
        consumer.assign(at)
        for place, end in (await consumer.end_offsets(at)).items():
            consumer.seek(place, end)
        return consumer

    async def _read(self, consumer: AIOKafkaConsumer, take: Any) -> None:
        while True:
            found = await consumer.getmany(timeout_ms=_POLL_MS)
            now = time.perf_counter()
            for place, records in found.items():
                for record in records:
                    take(place.topic, record, now)

    def _verdict(self, topic: str, record: Any, now: float) -> None:
        if topic == topics.LOG:
            id_ = dict(record.headers)["ce_id"].decode()
        else:
            id_ = orjson.loads(record.value)["id"]
            self._refused += 1
        if id_ in self._due:
            self._verdicts.setdefault(id_, now - self._due[id_])
        if len(self._verdicts) == len(self._items):
            self._all_verdicts.set()

    def _view(self, _topic: str, record: Any, now: float) -> None:
        id_ = dict(record.headers)["ce_causationid"].decode()
        if id_ in self._counted and id_ in self._due:
            self._views.append(now - self._due[id_])


def _id(record: Outbound) -> str:
    return dict(record.headers)["ce_id"].decode()
