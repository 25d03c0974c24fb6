"""A case erased and proven gone: ordered, waited for, cleared out of every file, then read for what is left.

Every part may be done again: an erasure that was interrupted is finished by ordering it once more.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import asyncpg

from consumers.kept_records import OpenConsumer, ends_of
from deploy import clients
from deploy.embedded.home import Home
from deploy.erasing.database_remains import behind, clear, file_owners, in_database, owner, summed
from deploy.erasing.file_remains import in_files
from deploy.erasing.haste import cut_admitted, haste
from deploy.erasing.kafka_remains import in_kafka, needles_of
from deploy.erasing.officer import Answer, Officer, officer
from deploy.erasing.remains import Looked, Needles, clean
from deploy.settings import Settings
from schemas import topics
from schemas.errors import UnreachableError
from schemas.orders import Reason

_LOOK_AGAIN = 0.5
_PAUSE = 2.0  # between two closings of files: the broker's cleaner needs a moment for each

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure came to. `looked` is empty where the order was not carried out."""

    answer: Answer
    looked: tuple[Looked, ...] = ()
    embedded: bool = False

    @property
    def gone(self) -> bool:
        """Whether nothing was found but what is to stay."""
        return bool(self.looked) and clean(self.looked)


@dataclass(frozen=True, slots=True)
class Eraser:
    """One erasing of one case. `patience`: seconds until what is left counts as left."""

    settings: Settings
    parties: frozenset[str]
    case: str
    patience: float
    say: Say

    async def erase(self, reason: Reason) -> Erasure:
        """Erase, wait, clear, read. Raises UnreachableError where a part of the bus is not there."""
        database = await owner(self.settings.dsn("admin"))
        try:
            async with officer(self.settings) as orders:
                self.say("ordering the erasure")
                needles = await needles_of(self._ear("audit"), self.case)
                answer = await orders.order("erase", self.case, reason)
                if answer.reason is not None:
                    return Erasure(answer)
                return Erasure(answer, tuple(await self._clear(orders, database, needles)), self._is_embedded)
        finally:
            await database.close()

    async def _clear(self, orders: Officer, database: asyncpg.Connection, needles: Needles) -> list[Looked]:
        self.say("waiting for what reads the bus")
        await self._caught_up(database)
        self.say("clearing PostgreSQL")
        await clear(database)
        self.say("clearing Kafka")
        async with haste(self.settings.kafka("admin"), topics.catalogue(self.parties)):
            return await self._until_gone(orders, database, needles)

    async def _until_gone(self, orders: Officer, database: asyncpg.Connection, needles: Needles) -> list[Looked]:
        """Close the files and read everything, again and again: Kafka clears closed files in its own time."""
        until = time.monotonic() + self.patience
        home = topics.partition_of(self.case.encode())
        while True:
            await orders.close_files(home)
            await cut_admitted(self.settings.kafka("admin"), home)
            await asyncio.sleep(_PAUSE)
            on_kafka = await in_kafka(self._ear, self.parties, needles)
            elsewhere = await self._beside_kafka(database, needles)
            if clean([*on_kafka, *elsewhere]) or time.monotonic() > until:
                return [*on_kafka, *elsewhere]
            if not clean(elsewhere):  # a transaction that was open at the first clearing kept it
                await clear(database)

    async def _beside_kafka(self, database: asyncpg.Connection, needles: Needles) -> list[Looked]:
        found = summed(await in_database(database, needles))
        if self._is_embedded:
            owners = await file_owners(database)
            found += await asyncio.to_thread(in_files, self.settings.home, needles, owners)
        return found

    async def _caught_up(self, database: asyncpg.Connection) -> None:
        """Wait until every projection has read of the erasure: afterwards there is nothing to read of it."""
        until = time.monotonic() + self.patience
        ends = await ends_of(self._ear("audit"), _read_by_projections(self.case))
        while late := await behind(database, ends):
            if time.monotonic() > until:
                behind_ = ", ".join(sorted(late))
                raise UnreachableError(f"the projector ({behind_}). The case is erased, not yet cleared: run it again.")
            await asyncio.sleep(_LOOK_AGAIN)

    def _ear(self, principal: str) -> OpenConsumer:
        return partial(clients.consumer, self.settings.kafka(principal))

    @property
    def _is_embedded(self) -> bool:
        settings = self.settings
        return not (settings.kafka_bootstrap or settings.database) and Home(settings.home).is_running()


def _read_by_projections(case: str) -> Iterable[tuple[str, int]]:
    home = topics.partition_of(case.encode())
    return (topics.LOG, home), (topics.CASES, home), (topics.views("ku"), 0)
