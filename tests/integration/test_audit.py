"""The audit over a real broker: what the scenario writes is in order, and each thing planted in it is found."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from consumers.audit.findings import Finding, Report
from consumers.audit.reading import LEDGER, LOG, audit, stored_in
from consumers.audit.verification import Kept
from deploy import clients
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Outbound
from tests import wire
from tests.brokers import RunningKafka, parties


@pytest.fixture(scope="module")
async def written(kafka: RunningKafka) -> AsyncIterator[RunningKafka]:
    """The whole scenario on the topics, written as the worker does: in transactions, which leave markers."""
    await asyncio.to_thread(kafka.reset)
    await transact(kafka, wire.everything())
    yield kafka
    await asyncio.to_thread(kafka.reset)


async def transact(kafka: RunningKafka, records: Iterable[Outbound], *, commit: bool = True) -> None:
    producer = AIOKafkaProducer(**kafka.access().aiokafka(), transactional_id="samspil.test.writer")
    await producer.start()
    try:
        await producer.begin_transaction()
        for r in records:
            await producer.send(r.topic, r.value, r.key, r.partition, headers=list(r.headers))
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


async def look(kafka: RunningKafka, kept: Kept = Kept()) -> Report:  # noqa: B008 - frozen
    opened = partial(clients.consumer, kafka.access("audit"))
    return await audit(opened, wire.contracts(), parties(), kept, lambda *_: None)


async def found(kafka: RunningKafka, *planted: Outbound) -> tuple[Finding, ...]:
    await transact(kafka, planted)
    return (await look(kafka)).findings


def first(topic: str, holding: bytes = b"") -> Outbound:
    return next(r for r in wire.everything() if r.topic == topic and holding in (r.value or b""))


async def test_what_the_worker_writes_is_in_order(written: RunningKafka) -> None:
    report = await look(written)
    assert report.findings == ()
    assert report.log == sum(r.topic == topics.LOG for r in wire.everything())
    assert report.receipts == sum(r.topic == topics.LEDGER for r in wire.everything())


async def test_what_was_never_committed_is_nothing(written: RunningKafka) -> None:
    view = first(topics.views("ku"))
    await transact(written, [replace(view, key=b"made up")], commit=False)
    assert (await look(written)).findings == ()


async def test_a_changed_view_is_found(written: RunningKafka) -> None:
    view = first(topics.views("ku"))
    changed = replace(view, value=canonical({**orjson.loads(view.value or b""), "fields": {"tier_1_signs": 9}}))
    [finding] = await found(written, changed)
    assert (finding.what, finding.fault, finding.topic) == ("view", "changed", topics.views("ku"))
    assert finding.offset is not None


async def test_a_missing_receipt_is_found(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    missing = first(topics.LEDGER)
    await transact(kafka, (r for r in wire.everything() if r is not missing))
    [finding] = (await look(kafka)).findings
    assert (finding.what, finding.fault, finding.partition) == ("receipt", "missing", missing.partition)


async def test_an_altered_log_record_is_found(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    record = first(topics.LOG, b"tier_1_signs")
    altered = replace(record, value=canonical({**orjson.loads(record.value or b""), "tier_1_signs": 7}))
    await transact(kafka, (altered if r is record else r for r in wire.everything()))
    findings = (await look(kafka)).findings
    assert ("log", "altered", "disagrees") in {(f.what, f.fault, f.why) for f in findings}


async def test_nothing_at_all_is_in_order(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    assert (await look(kafka)).body() == {
        "looked_at": {"log": 0, "views": 0, "receipts": 0, "vault_reads": 0, "states": 0},
        "findings": [],
    }


async def test_a_bus_that_writes_meanwhile_does_not_disturb(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    batches = list(wire.outputs(wire.judged(wire.contracts().newest, wire.scenario())))
    writing = asyncio.create_task(_write_slowly(kafka, batches))
    reports = []
    while not writing.done():
        reports.append(await look(kafka))
    await writing
    assert [finding for report in reports for finding in report.findings] == []
    assert (await look(kafka)).log == len(batches)


async def _write_slowly(kafka: RunningKafka, batches: list[tuple[Outbound, ...]]) -> None:
    producer = AIOKafkaProducer(**kafka.access().aiokafka(), transactional_id="samspil.test.slow")
    await producer.start()
    for batch in batches:
        async with producer.transaction():
            for r in batch:
                await producer.send_and_wait(r.topic, r.value, r.key, r.partition, headers=list(r.headers))
    await producer.stop()


async def test_a_case_is_read_from_its_partitions(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    await transact(kafka, wire.everything())
    opened = partial(clients.consumer, kafka.access("audit"))
    assert len(await stored_in(opened, LOG)) == sum(r.topic == topics.LOG for r in wire.everything())
    assert len(await stored_in(opened, LEDGER[:1])) == sum(
        (r.topic, r.partition) == LEDGER[0] for r in wire.everything()
    )
