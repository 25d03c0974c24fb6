"""From when on a change binds who reads: before anybody is told of it.

A withdrawn consent, a correction, a new owner: once its verdict can be had, no value leaves the vault on the state
before. So whoever tells verdicts waits first, in its own transaction, for two things. The event stands in the state
that reads are judged on. (Kafka shows the parts of one transaction one by one; the verdict may well come first.)
And every read that began before has ended: readers pin their case (case_pins), and are waited for here. A read that
begins later is judged on the state that stands.

Where the state cannot tell, it stands once the read model is where the case's partition ended after the verdict's own
record was read, transactions under way included. The states are asked first: they wait for nobody else's transaction.

What Kafka itself shows a party (its view of the change, the answer to what it says twice) is not held back: it is the
verdict over HTTP that says "from now on".

What takes longer than a pin can last is not told: TimeoutError, to be tried again from the same place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from importlib.resources import files
from typing import Any

from consumers.case_pins import PINS, SLOTS, slot
from consumers.case_states import CaseStates
from consumers.news import News
from consumers.runner import STORED
from schemas import state, topics
from schemas.case import Case
from schemas.errors import StateError, UnreachableError

_SQL = files(__package__) / "sql"
STATES = (_SQL / "case_states_of.sql").read_text()
OUTWAIT = (_SQL / "outwait_pins.sql").read_text()

WITHIN = 8.0  # seconds; longer than a pin can last
SOON = 1.0  # seconds until it is asked where the partitions end
_LOOK_AGAIN = 0.05  # seconds, where no news comes: the states may be kept by another process

Ends = Callable[[Iterable[int]], Awaitable[Mapping[int, int]]]
Told = Mapping[str, Collection[str]]  # case -> events accepted in it


class Binding:
    """Waits until what was accepted binds every read."""

    def __init__(self, ends: Ends, kept: News) -> None:
        """`ends`: where partitions of the cases topic end now, what is not yet committed included.

        `kept`: comes whenever this process has kept states or got further in their topic, so that nobody has to ask
        for that time and again.
        """
        self._ends = ends
        self._kept = kept

    async def __call__(self, connection: Any, told: Told | None) -> None:
        """Wait for these events (None: for whatever was accepted), in the connection's transaction.

        Raises TimeoutError.
        """
        async with asyncio.timeout(WITHIN):
            if told is None:
                await self._reached(connection, range(topics.PARTITIONS))
                await connection.execute(OUTWAIT, PINS, list(range(SLOTS)))
            elif told:
                await self._stand(connection, told)
                await connection.execute(OUTWAIT, PINS, sorted({slot(case.encode()) for case in told}))

    async def _stand(self, connection: Any, told: Told) -> None:
        loop = asyncio.get_running_loop()
        asked_at = loop.time() + SOON
        news = self._kept.next()
        while told := await _missing(connection, told):
            if loop.time() >= asked_at:
                await self._reached(connection, {topics.partition_of(case.encode()) for case in told})
                return
            await asyncio.wait([news], timeout=_LOOK_AGAIN)
            news = self._kept.next()

    async def _reached(self, connection: Any, partitions: Iterable[int]) -> None:
        try:
            ends = await self._ends(partitions)
        except UnreachableError:
            raise TimeoutError from None  # it passes, and no record is to blame for it
        news = self._kept.next()
        while not await _is_at(connection, ends):
            await asyncio.wait([news], timeout=_LOOK_AGAIN)
            news = self._kept.next()


async def _missing(connection: Any, told: Told) -> Told:
    """Return what the states do not show yet."""
    states = {row["case_id"]: row["state"] for row in await connection.fetch(STATES, list(told))}
    return {case: events for case, events in told.items() if not _shows(states.get(case), events)}


def _shows(raw: bytes | None, events: Iterable[str]) -> bool:
    try:
        found = None if raw is None else state.decode(bytes(raw))
    except StateError:
        return False
    if isinstance(found, Case):
        return all(event in found.said for event in events)
    return found is not None  # of an erased case nothing is read


async def _is_at(connection: Any, ends: Mapping[int, int]) -> bool:
    rows = await connection.fetch(STORED, CaseStates.name)
    positions = {row["partition"]: row["position"] for row in rows}
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())
