"""Counts on the real broker and database: counted once, outliving the case, released once."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import TopicPartition

from consumers.case_states import CaseStates
from consumers.statistics.projection import Statistics
from deploy import clients
from schemas import state, topics
from schemas.case import Erased
from tests import http_side
from tests.brokers import RunningKafka, RunningPostgres
from tests.bus import Bus, bus
from tests.http_side import consuming
from tests.projecting import running
from tests.speech import Saying, activity, concern, say, vault_ref
from tests.waiting import eventually
from tests.worker_process import WorkerProcess

SAMSPIL = Path(sys.executable).with_name("samspil")
CASES = 6
YEAR = 2026


@dataclass
class Counting:
    """A bus whose clock follows the events, with a database of its own."""

    bus: Bus
    kafka: RunningKafka
    dsns: dict[str, str]
    home: Path

    async def say(self, sayings: Sequence[Saying]) -> None:
        """Say them, and return when all stand in the log."""
        await self.bus.say(sayings)
        await eventually(partial(self._logged, {saying.id for saying in sayings}))

    async def _logged(self, ids: set[str]) -> bool:
        logged = {dict(r.headers).get("ce_id", b"").decode() for r in await self.bus.read(topics.LOG)}
        return ids <= logged

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        owner = await asyncpg.connect(self.dsns["admin"])
        try:
            return list(await owner.fetch(query))
        finally:
            await owner.close()

    async def counts(self) -> dict[str, int]:
        rows = await self.fetch("SELECT year, population, key, number FROM statistics.counts")
        assert {row["year"] for row in rows} <= {YEAR, YEAR + 1}
        return {f"{row['population']} {row['key']}": row["number"] for row in rows if row["year"] == YEAR}

    async def kept(self) -> str:
        """Everything that the schema holds, as text."""
        tables = await self.fetch(
            "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'statistics'"
        )
        assert len(tables) == 4
        texts = [await self.fetch(f"SELECT kept::text AS t FROM statistics.{row['t']} AS kept") for row in tables]  # noqa: S608
        return "\n".join(row["t"] for rows in texts for row in rows)

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        """Statistics and states at work; at the end as a crash would end them."""
        pool = await clients.pool(self.dsns["projector"], 4)
        try:
            async with running(self.kafka, pool, Statistics(), CaseStates()):
                yield
        finally:
            pool.terminate()

    async def all_counted(self) -> None:
        places = [TopicPartition(topics.LOG, number) for number in range(topics.PARTITIONS)]
        async with consuming(self.kafka) as consumer:
            ends = await consumer.end_offsets(places)

        async def reached() -> bool:
            found = await self.fetch("SELECT * FROM readmodel.positions WHERE projection = 'statistics'")
            return bool({TopicPartition(row["topic"], row["partition"]): row["position"] for row in found} == ends)

        await eventually(reached)

    async def released(self, year: int, folder: Path) -> tuple[int, str]:
        """Run the command as a person does; give its exit code and what it said."""
        settings = {
            "SAMSPIL_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "SAMSPIL_DATABASE": self.dsns["admin"].rpartition("@")[2],
            "SAMSPIL_CREDENTIALS": str(self.home / "credentials.json"),
            "SAMSPIL_CLOCK": "events",
        }
        command = [str(SAMSPIL), "statistics", "release", "--year", str(year), "--out", str(folder), "--json"]
        done = await asyncio.to_thread(_run, command, {**os.environ, **settings})
        return done.returncode, done.stdout + done.stderr


def _run(command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture
async def counting(
    kafka: RunningKafka, postgres: RunningPostgres, services_home: Path, tmp_path: Path
) -> AsyncIterator[Counting]:
    kafka.reset()
    worker = WorkerProcess(kafka.access("worker").aiokafka(), tmp_path / "worker", clock="events")
    worker.start()
    try:
        await worker.ready()
        async with bus(kafka) as said, http_side.own_database(postgres) as dsns:
            yield Counting(said, kafka, dsns, services_home)
    finally:
        worker.kill()


def _at(day: int, saying: Saying, month: int = 3, year: int = YEAR) -> Saying:
    return replace(saying, time=f"{year}-{month:02}-{day:02}T12:00:00Z")


def _raised(case: str) -> Saying:
    return _at(2, concern("buf", case, observed_on="2026-03-02"))


def _screened(case: str) -> Saying:
    return _at(5, say("ku", "concern-screened", case, outcome="own_administration", owner="sof", grounds=vault_ref()))


def _measure(case: str, day: int) -> Saying:
    return _at(day, say("sof", "measure-started", case, measure=str(uuid4()), kind="mentor", provider="vink"))


async def _erase(counting: Counting, case: str) -> None:
    ask = _at(9, say("sof", "rights-request-received", case, article="17", received_on="2026-03-09"))
    await counting.say([ask])
    answer = _at(10, say("sof", "rights-request-answered", case, request=ask.id))
    await counting.bus.say([answer])

    async def erased() -> bool:
        newest = {record.key: record.value for record in await counting.bus.read(topics.CASES)}
        raw = newest.get(case.encode())
        return raw is not None and isinstance(state.decode(raw), Erased)

    await eventually(erased)


async def test_counted_once_kept_without_the_case_and_released_once(counting: Counting, tmp_path: Path) -> None:
    cases = [str(uuid4()) for _ in range(CASES)]
    await counting.say([_raised(case) for case in cases])
    async with counting.projecting():
        await counting.all_counted()
    await counting.say([_screened(case) for case in cases])
    await counting.say([_measure(case, 7) for case in cases])
    async with counting.projecting():
        await counting.say([_measure(case, 8) for case in cases])  # the second is none: a case counts once
        await counting.all_counted()
    before = await counting.counts()
    assert before == {
        "raised source_type/housing": CASES,
        "raised age_band/18_24": CASES,
        "screened age_band/18_24/outcome/own_administration": CASES,
        "screened outcome/own_administration/source_type/housing": CASES,
        "measures kind/mentor": CASES,
    }
    waits = await counting.fetch("SELECT stretch, days, number FROM statistics.waits ORDER BY stretch")
    assert [tuple(row) for row in waits] == [("measure", 5, CASES), ("screening", 3, CASES)]
    kept = await counting.kept()
    assert all(case in kept for case in cases)

    gone = cases[0]
    async with counting.projecting():
        await _erase(counting, gone)
        await counting.all_counted()
        await eventually(lambda: _forgotten(counting, gone))
    kept = await counting.kept()
    assert await counting.counts() == before
    assert not [text for text in kept.splitlines() if gone in text]
    assert all(case in kept for case in cases[1:])

    remembered = await _remembered(counting)
    for reset in (_reset_of_the_read_model, _another_log_of_the_name):
        await reset(counting)
        async with counting.projecting():
            await counting.all_counted()
        assert await counting.counts() == before
        assert await _remembered(counting) == remembered
        assert gone not in await counting.kept()
    await _released_once(counting, tmp_path)


async def _forgotten(counting: Counting, case: str) -> bool:
    return not await counting.fetch(f"SELECT FROM statistics.remembered WHERE case_id = '{case}'")


async def _reset_of_the_read_model(counting: Counting) -> None:
    """All that can be made again from the topics goes, and how far each was read."""
    await counting.fetch("DELETE FROM readmodel.positions")
    await counting.fetch("DELETE FROM readmodel.case_states")


async def _another_log_of_the_name(counting: Counting) -> None:
    """The log ends before what was read of it: it is another one, here with the same records."""
    await counting.fetch("UPDATE readmodel.positions SET position = position + 1000 WHERE projection = 'statistics'")


async def _remembered(counting: Counting) -> dict[str, str]:
    rows = await counting.fetch("SELECT case_id, memory::text FROM statistics.remembered")
    return {row["case_id"]: row["memory"] for row in rows}


async def _released_once(counting: Counting, tmp_path: Path) -> None:
    await counting.say([_at(4, activity("kff"), month=1, year=YEAR + 1)])
    async with counting.projecting():
        # Two at once: one is refused by the broker, or finds what the other wrote.
        both = await asyncio.gather(*(counting.released(YEAR, tmp_path / name) for name in ("one", "other")))
    done = [json.loads(said) for code, said in both if code == 0]
    assert all(code == 0 or (code == 2 and "ProducerFenced" in said) for code, said in both), both
    assert [one["new"] for one in done].count(True) == 1
    [record] = await counting.bus.read(topics.STATISTICS)
    assert record.key == str(YEAR).encode()
    assert {one["place"] for one in done} == {f"{topics.STATISTICS}/0@{record.offset}"}
    release = json.loads(record.value)
    measures = next(one for one in release["populations"] if one["name"] == "measures")
    numbers = {count["by"]["kind"]: count["number"] for count in measures["counts"]}
    assert numbers == {kind: 5 if kind == "mentor" else None for kind in numbers}

    # Killed before the files: they come from the record, without the projector.
    code, said = await counting.released(YEAR, tmp_path / "again")
    assert (code, json.loads(said)["new"]) == (0, False)
    files = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert f"{YEAR},measures,kind,mentor,,,5".encode() in files[f"samspil-{YEAR}.csv"]
    assert f"Samarbejdet i tal {YEAR}".encode() in files[f"samspil-{YEAR}.html"]

    # What is counted later changes no release.
    await counting.fetch("UPDATE statistics.counts SET number = number + 10")
    code, said = await counting.released(YEAR, tmp_path / "later")
    assert (code, "no revisions" in said) == (1, True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "later").iterdir()} == files
    assert len(await counting.bus.read(topics.STATISTICS)) == 1
