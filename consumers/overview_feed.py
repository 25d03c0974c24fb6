"""The overview as it stands, in memory, kept up to date by the database's own notices.

One connection LISTENs for the projector. A notice is only a hint: the rows that changed are read then, and
now and then without one. After a lost connection everything is read again, so nothing said meanwhile is
missed; until then the feed says itself that it is not live, rather than show yesterday's cases as today's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import asyncpg
import orjson
import structlog

from schemas.log_events import LogEvent
from schemas.overview import counts

ROWS = (files(__package__) / "sql" / "overview_rows.sql").read_text()
CHANNEL = "overview"
LOOK_AGAIN = 10.0  # seconds; also finds a connection that died without a word
READ_WITHIN = 5.0
RECONNECT_AFTER = 0.5
FROM_THE_BEGINNING = -1

log = structlog.get_logger()
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a revision: rows that are shown, cases that are no more, and the counts now."""

    revision: int
    cases: tuple[Body, ...]
    gone: tuple[str, ...]
    counts: Mapping[str, int]


class OverviewFeed:
    """Follows the overview; `run` must be running. `connect` opens a connection of the role that may read it."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        """Take a way to connect."""
        self.live = False
        self._connect = connect
        self._bodies: dict[str, Body | None] = {}
        self._changed_at: dict[str, int] = {}  # case -> revision
        self._revision = 0
        self._version = FROM_THE_BEGINNING  # the database's, of the newest row read
        self._turn = asyncio.Event()  # replaced whenever something happened

    def since(self, revision: int = -1) -> Changes:
        """Return what changed after a revision; by default all there is."""
        changed = [case for case, at in self._changed_at.items() if at > revision]
        shown = {case: body for case in changed if (body := self._bodies[case]) is not None}
        gone = tuple(case for case in changed if case not in shown) if revision >= 0 else ()
        now = counts(body for body in self._bodies.values() if body is not None)
        return Changes(self._revision, tuple(shown.values()), gone, now)

    async def turn(self, seconds: float) -> None:
        """Wait until something changed, or the feed came or went; at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._turn.wait()

    async def run(self) -> None:
        """Follow for ever; a lost connection is made again."""
        while True:
            try:
                await self._follow()
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
            ) as error:
                log.warning(LogEvent.FEED_LOST, error=type(error).__name__)
            if self.live:
                self.live = False
                self._happened()
            await asyncio.sleep(RECONNECT_AFTER)

    async def _follow(self) -> None:
        connection = await self._connect()
        try:
            notice = asyncio.Event()
            connection.add_termination_listener(lambda _: notice.set())
            await connection.add_listener(CHANNEL, lambda *_: notice.set())
            await self._read(connection, FROM_THE_BEGINNING)
            self.live = True
            self._happened()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN):
                        await notice.wait()
                notice.clear()
                await self._read(connection, self._version)
        finally:
            connection.terminate()

    async def _read(self, connection: Any, after: int) -> None:
        async with asyncio.timeout(READ_WITHIN):
            rows = await connection.fetch(ROWS, after)
        found = {row["case_id"]: None if row["body"] is None else orjson.loads(row["body"]) for row in rows}
        if after == FROM_THE_BEGINNING:
            # Also what another database says: cases that it does not have are gone.
            found = dict.fromkeys(self._bodies) | found
            self._version = 0
        self._version = max((row["version"] for row in rows), default=self._version)
        self._take(found)

    def _take(self, found: Mapping[str, Body | None]) -> None:
        changed = [case for case, body in found.items() if self._bodies.get(case) != body]
        if not changed:
            return
        self._revision += 1
        for case in changed:
            self._bodies[case] = found[case]
            self._changed_at[case] = self._revision
        self._happened()

    def _happened(self) -> None:
        self._turn.set()
        self._turn = asyncio.Event()
