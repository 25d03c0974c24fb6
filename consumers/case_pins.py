"""A reader's pin on a case: from being judged until the value has left, nobody is told that the case changed.

A value leaves on what the case was when the read was judged. Until it has left, the reader has the case pinned, and
whoever would tell a verdict on it waits (binding.py). The pin is a shared advisory lock of PostgreSQL in a
transaction of the reader's own: it needs no right and no row, and goes with the connection, whatever becomes of the
reader. It is for seconds: a reader that is not done by then sends nothing more. One that stands still altogether
loses its pin to the database's own limit, which comes later: a reader that runs has stopped by then.

What that leaves open: a process (or machine) that is frozen between its last look at the clock and the write that
follows, or while the rest of a long answer waits in it for a slow client, and that wakes up after the database's
limit, sends what it was about to send. A lock cannot follow a byte into the socket; nor can it, behind that, into what
a proxy or the network still carries.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import asyncpg

from schemas.errors import SamspilError

_SQL = files(__package__) / "sql"
LIMIT = (_SQL / "limit_pin.sql").read_text()
PIN = (_SQL / "pin_case.sql").read_text()
STANDS = (_SQL / "pin_stands.sql").read_text()

PINS = 1_397_576_528  # the class of these among the database's advisory locks
SLOTS = 256  # cases share them: a batch of thousands of cases takes no more locks than the server has room for
MOST_OF_A_PARTY = 4  # at once, since each takes one of the database connections that all share
LONGEST = 4.0  # seconds, from asking for a pin until the value must have left
GIVEN_WITHIN = "2s"  # behind who waits for the pins before it
LOST_AFTER = "6s"  # without a statement; the database ends the connection

_LOST = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class NotPinnedError(SamspilError):
    """The case could not be pinned until the value had left; try again later:"""


@dataclass(frozen=True, slots=True)
class Pin:
    """A case pinned. What its connection reads of the case holds until the pin goes."""

    connection: Any
    until: float  # on the loop's clock

    async def require(self) -> None:
        """Return only where the case is still pinned, now. Raises NotPinnedError, by way of `pinned`."""
        await self.connection.execute(STANDS)
        if asyncio.get_running_loop().time() >= self.until:
            raise TimeoutError


class Turns:
    """Whose turn it is: a party with slow readers waits for itself, and no other party for it."""

    def __init__(self) -> None:
        """Begin with nobody reading."""
        self._by_party: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MOST_OF_A_PARTY))

    def of(self, party: str) -> asyncio.Semaphore:
        """Return what a party waits for, and holds while it has its turn."""
        return self._by_party[party]


def slot(case: bytes) -> int:
    """Return which lock a case has, beside others."""
    return zlib.crc32(case) % SLOTS


@asynccontextmanager
async def pinned(pool: asyncpg.Pool, case: bytes, turn: asyncio.Semaphore) -> AsyncIterator[Pin]:
    """Pin a case for what is done inside; it is interrupted when its time is up. Raises NotPinnedError."""
    until = asyncio.get_running_loop().time() + LONGEST
    try:
        async with (
            asyncio.timeout_at(until) as limit,
            turn,
            pool.acquire() as connection,
            connection.transaction(readonly=True),
        ):
            await connection.execute(LIMIT, GIVEN_WITHIN, LOST_AFTER)
            await connection.execute(PIN, PINS, slot(case))
            with _interrupted_with(connection, limit):
                yield Pin(connection, until)
    except _LOST as error:
        raise NotPinnedError(type(error).__name__) from None


@contextmanager
def _interrupted_with(connection: Any, limit: asyncio.Timeout) -> Iterator[None]:
    """Interrupt what is done inside when the connection breaks: the pin went with it."""

    def lost(_: object) -> None:
        with suppress(RuntimeError):  # interrupted already
            limit.reschedule(asyncio.get_running_loop().time())

    connection.add_termination_listener(lost)
    try:
        yield
    finally:
        connection.remove_termination_listener(lost)
