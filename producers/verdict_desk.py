"""Where publishers ask for verdicts, and wait for them.

One connection of the gateway LISTENs for all of them. A notification is only a hint: whoever waits looks
into the table before waiting and after each hint, and a listener that had to reconnect wakes everybody, so
that what was announced meanwhile is not missed.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from producers.verdicts import ANYTHING, waiting_key
from schemas.log_events import LogEvent

_SQL = files(__package__) / "sql"
STANDING = (_SQL / "standing_verdict.sql").read_text()
ON_SUBMISSION = (_SQL / "submission_verdict.sql").read_text()
CHANNEL = "verdicts"
LOOK_AGAIN = 5.0  # seconds: even with no hint at all
RECONNECT_AFTER = 0.5

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

log = structlog.get_logger()
Waiting = dict[str, set[asyncio.Event]]


class VerdictDesk:
    """Answers what became of an event; `run` keeps the shared listener alive."""

    def __init__(self, pool: asyncpg.Pool, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        """Take the gateway's pool for questions, and a way to connect for the listener."""
        self._pool = pool
        self._connect = connect
        self._waiting: Waiting = defaultdict(set)

    async def standing(self, party: str, event: UUID) -> dict[str, Any] | None:
        """Return what stands: the acceptance if there ever was one, else the newest refusal."""
        return _read(await self._pool.fetchval(STANDING, party, event))

    async def wait(self, party: str, event: UUID, offset: int, seconds: float) -> dict[str, Any] | None:
        """Return the verdict on the submission at this place in the inbox, or None when it takes longer."""
        async with self._hints(waiting_key(party, event)) as hint:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while (verdict := await self._looked(party, event, offset)) is None:
                        await _hinted(hint)
                    return verdict
        return None

    async def _looked(self, party: str, event: UUID, offset: int) -> dict[str, Any] | None:
        # Who waits has been acknowledged already: that the database is away for a moment is no answer to it.
        with suppress(*AWAY):
            return _read(await self._pool.fetchval(ON_SUBMISSION, party, event, offset))
        return None

    @asynccontextmanager
    async def _hints(self, key: str) -> AsyncIterator[asyncio.Event]:
        hint = asyncio.Event()
        self._waiting[key].add(hint)
        try:
            yield hint
        finally:
            self._waiting[key].discard(hint)
            if not self._waiting[key]:
                del self._waiting[key]

    async def run(self) -> None:
        """Listen for ever; a lost connection is made again."""
        while True:
            try:
                await self._listen()
            except AWAY as error:
                log.warning(LogEvent.LISTENER_LOST, error=type(error).__name__)
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self) -> None:
        connection = await self._connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._announced)
            self._wake_all()  # what was announced while nobody listened
            await lost.wait()
        finally:
            connection.terminate()

    def _announced(self, _connection: object, _pid: int, _channel: str, key: str) -> None:
        if key == ANYTHING:
            self._wake_all()
        for hint in self._waiting.get(key, ()):
            hint.set()

    def _wake_all(self) -> None:
        for hints in self._waiting.values():
            for hint in hints:
                hint.set()


def _read(verdict: str | None) -> dict[str, Any] | None:
    body: dict[str, Any] | None = None if verdict is None else orjson.loads(verdict)
    return body


async def _hinted(hint: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(hint.wait(), LOOK_AGAIN)
    hint.clear()
