"""From when on a change binds who reads: before anybody is told of it.

A withdrawn consent, a correction, a new owner: once its verdict can be had, no value leaves the vault on the state
before. So whoever tells verdicts waits first, in its own transaction, for two things. The state stands in the read
model: its position is where the case's partition ended after the verdict's own record was read, records of
transactions under way included. (Kafka shows the parts of one transaction one by one; the verdict may well come
first.) And every read that began before has ended: readers pin their case (case_pins), and are waited for here. A
read that begins later is judged on the state that stands.

Neither takes long: a transaction is at most seconds under way, and a pin is limited. What takes longer is not told:
TimeoutError, to be tried again from the same place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from importlib.resources import files
from typing import Any

from consumers.case_pins import PINS, SLOTS, slot
from consumers.case_states import CaseStates
from consumers.runner import STORED
from schemas import topics
from schemas.errors import UnreachableError

OUTWAIT = (files(__package__) / "sql" / "outwait_pins.sql").read_text()

WITHIN = 8.0  # seconds; longer than a pin can last
_LOOK_AGAIN = 0.005

Ends = Callable[[Iterable[int]], Awaitable[Mapping[int, int]]]


class Binding:
    """Waits until what was accepted in some cases binds every read."""

    def __init__(self, ends: Ends) -> None:
        """`ends`: where partitions of the cases topic end now, what is not yet committed included."""
        self._ends = ends

    async def __call__(self, connection: Any, cases: Collection[str] | None) -> None:
        """Wait for these cases (None: for all), in the connection's transaction. Raises TimeoutError."""
        keys = None if cases is None else [case.encode() for case in cases]
        partitions = range(topics.PARTITIONS) if keys is None else {topics.partition_of(key) for key in keys}
        slots = range(SLOTS) if keys is None else {slot(key) for key in keys}
        if not partitions:
            return
        async with asyncio.timeout(WITHIN):
            await self._stand(connection, partitions)
            await connection.execute(OUTWAIT, PINS, sorted(slots))

    async def _stand(self, connection: Any, partitions: Iterable[int]) -> None:
        try:
            ends = await self._ends(partitions)
        except UnreachableError:
            raise TimeoutError from None  # it passes, and no record is to blame for it
        while not await _reached(connection, ends):  # noqa: ASYNC110 - the positions are in the database
            await asyncio.sleep(_LOOK_AGAIN)


async def _reached(connection: Any, ends: Mapping[int, int]) -> bool:
    rows = await connection.fetch(STORED, CaseStates.name)
    positions = {row["partition"]: row["position"] for row in rows}
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())
