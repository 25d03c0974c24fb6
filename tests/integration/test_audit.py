"""The audit over a real broker: what the scenario writes is in order, and each thing planted in it is found."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from consumers.audit.findings import Finding, Report
from consumers.audit.reading import audit, extent, stored_in
from consumers.audit.share import places_of
from consumers.audit.verification import Kept
from consumers.kept_records import ends_of
from deploy import clients
from deploy.cli.audit_shares import Work, audited
from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.canonical import canonical
from schemas.errors import UnreachableError
from schemas.records import Outbound
from tests import wire
from tests.brokers import RunningKafka, parties
from tests.waiting import eventually


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
    await settled(kafka)


async def settled(kafka: RunningKafka) -> None:
    """A commit is answered before its markers are written: until then the log ends sooner."""
    opened, log = partial(clients.consumer, kafka.access("audit")), tuple(places_of(topics.LOG))

    async def same() -> bool:
        return await ends_of(opened, log) == await ends_of(opened, log, "read_committed")

    await eventually(same)


async def look(kafka: RunningKafka, kept: Kept = Kept()) -> Report:  # noqa: B008 - frozen
    opened = partial(clients.consumer, kafka.access("audit"))
    of = await extent(opened, parties(), kept)
    return await audit(opened, wire.contracts(), of, lambda _: None)


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
    await settled(kafka)
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
    log, ledger = places_of(topics.LOG), tuple(places_of(topics.LEDGER))
    assert len(await stored_in(opened, log)) == sum(r.topic == topics.LOG for r in wire.everything())
    assert len(await stored_in(opened, ledger[:1])) == sum(
        (r.topic, r.partition) == ledger[0] for r in wire.everything()
    )


async def test_several_processes_find_what_one_finds(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    view, receipt, log = first(topics.views("ku")), first(topics.LEDGER), first(topics.LOG, b"tier_1_signs")
    planted = [
        replace(view, value=canonical({**orjson.loads(view.value or b""), "fields": {"tier_1_signs": 9}})),
        replace(view, key=b"made up", headers=()),
        replace(receipt, partition=topics.VAULT_PARTITION),
        replace(log, partition=(log.partition + 1) % topics.PARTITIONS),
    ]
    await transact(kafka, [*(r for r in wire.everything() if r is not receipt), *planted])
    alone, together, each = [
        await asyncio.to_thread(verify, kafka, "--json", "--processes", number) for number in ("1", "2", "12")
    ]
    assert alone.returncode == 1
    found = {(f["what"], f["fault"], f["why"]) for f in orjson.loads(alone.stdout)["findings"]}
    assert found == {
        ("log", "altered", "misplaced"),
        ("receipt", "missing", "absent"),
        ("vault_read", "malformed", "receipt_form"),
        ("view", "changed", "derived"),
        ("view", "surplus", "no_event"),
    }
    for several in (together, each):
        assert (several.returncode, several.stdout, several.stderr) == (1, alone.stdout, "")


def verify(kafka: RunningKafka, *options: str) -> subprocess.CompletedProcess[str]:
    with verifying(kafka, *options) as process:
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def verifying(kafka: RunningKafka, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a terminal runs it: in a process group of its own, which Ctrl-C reaches as a whole."""
    home = kafka.kafka.home
    environment = {
        **os.environ,
        "SAMSPIL_HOME": str(home),
        "SAMSPIL_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SAMSPIL_CREDENTIALS": str(home / "credentials.json"),
    }
    command = [str(Path(sys.executable).with_name("samspil")), "audit", "verify", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
async def held_up(kafka: RunningKafka) -> AsyncIterator[RunningKafka]:
    """A bus in which a transaction is under way: an audit waits for its end."""
    await asyncio.to_thread(kafka.reset)
    writer = AIOKafkaProducer(
        **kafka.access().aiokafka(), transactional_id="samspil.test.slow", transaction_timeout_ms=600_000
    )
    await writer.start()
    await writer.begin_transaction()
    await writer.send_and_wait(topics.views("ku"), b"{}", b"k", 0)
    yield kafka
    await writer.abort_transaction()
    await writer.stop()


async def at_work(process: subprocess.Popen[str], number: int) -> tuple[int, ...]:
    """The children that audit, once they read."""

    def reading() -> bool:
        return len(readers(process.pid)) == number

    await eventually(reading)
    return readers(process.pid)


def readers(parent: int) -> tuple[int, ...]:
    """The children of a process that hold a connection, which is when they read."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return tuple(int(child) for child in children if _connected(int(child)))


def _connected(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return any("socket:" in str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def gone(pids: Iterable[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_ctrl_c_ends_every_process(held_up: RunningKafka) -> None:
    with verifying(held_up, "--processes", "2") as process:
        children = await at_work(process, 2)
        os.killpg(process.pid, signal.SIGINT)
        out, err = await asyncio.to_thread(process.communicate, None, 60)
        assert (process.returncode, out, err) == (130, "", "")
        await eventually(lambda: gone(children))


async def test_processes_end_with_a_command_that_is_killed(held_up: RunningKafka) -> None:
    with verifying(held_up, "--processes", "2") as process:
        children = await at_work(process, 2)
        process.kill()
        await eventually(lambda: gone(children))


async def test_a_process_that_is_ended_ends_all(held_up: RunningKafka) -> None:
    with verifying(held_up, "--processes", "3") as process:
        children = await at_work(process, 3)
        os.kill(children[0], signal.SIGKILL)
        out, err = await asyncio.to_thread(process.communicate, None, 60)
        assert (process.returncode, out, err.count("\n")) == (2, "", 1)
        assert "a process of this audit was ended from outside." in err
        await eventually(lambda: gone(children))


async def test_what_a_process_cannot_do_is_told_as_ever(kafka: RunningKafka) -> None:
    await asyncio.to_thread(kafka.reset)
    await transact(kafka, wire.everything())
    of = await extent(partial(clients.consumer, kafka.access("audit")), parties(), Kept())
    work = Work(KafkaAccess(kafka.bootstrap, "audit", "not the password"), wire.POLICIES, of)
    with pytest.raises(UnreachableError, match="nothing answers at"):
        await asyncio.to_thread(audited, work, 2, lambda _: None)
    assert multiprocessing.active_children() == []
