"""The overview as server-sent events: all of it once, then what changes.

`overview` is everything; `changes` the rows that are new or other, and the cases that are gone; both with the
counts. `clock` tells the bus's time now and then, `lost` that the feed is not live (an `overview` follows when
it is again), `ended` that the session is over. Whoever reconnects starts with `overview`, so nothing need be
remembered.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sse_starlette import ServerSentEvent

from consumers.overview_feed import Changes, OverviewFeed
from schemas.danish_words import DEADLINES
from schemas.overview import instant
from schemas.problems import ProblemError

CLOCK_EVERY = 15.0  # seconds; also how often the session is looked at
RECONNECT_MS = 1_000
Now = Callable[[], Awaitable[datetime]]


async def snapshot(feed: OverviewFeed, now: Now, parties: Mapping[str, str]) -> dict[str, Any]:
    """Return the whole overview as JSON values: what GET /overview answers."""
    return {**await _told(feed.since(), now), "parties": dict(parties), "deadlines": dict(DEADLINES)}


async def _told(changes: Changes, now: Now) -> dict[str, Any]:
    return {"now": instant(await now()), "counts": changes.counts, "cases": list(changes.cases)}


async def stream(
    feed: OverviewFeed, now: Now, parties: Mapping[str, str], still_allowed: Callable[[], Awaitable[object]]
) -> AsyncIterator[ServerSentEvent]:
    """Yield events for one reader, until it leaves or its session ends."""
    revision, was_live = -1, True
    while await _allowed(still_allowed):
        if not feed.live:
            if was_live:
                yield _event("lost", {})
            revision, was_live = -1, False
        elif revision < 0:
            revision, was_live = feed.since().revision, True
            yield _event("overview", await snapshot(feed, now, parties))
        elif (changes := feed.since(revision)).revision != revision:
            revision = changes.revision
            yield _event("changes", {**await _told(changes, now), "gone": list(changes.gone)})
        else:
            yield _event("clock", {"now": instant(await now())})
        await _next(feed, revision)
    yield _event("ended", {})


async def _next(feed: OverviewFeed, revision: int) -> None:
    # What happened while the reader took the last event is not waited for.
    if not feed.live or feed.since(revision).revision == revision:
        await feed.turn(CLOCK_EVERY)


async def _allowed(still_allowed: Callable[[], Awaitable[object]]) -> bool:
    try:
        await still_allowed()
    except ProblemError as refused:
        return refused.problem.http_status >= 500  # while the issuer is away, nobody is signed out
    return True


def _event(name: str, data: Mapping[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=orjson.dumps(data).decode(), retry=RECONNECT_MS)
