"""The overview over HTTP: as JSON, as a stream of changes, and as the live page."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse

from consumers import live_page
from consumers.overview_feed import OverviewFeed
from consumers.overview_sessions import Sessions, SignIn
from consumers.overview_stream import Now, snapshot, stream
from schemas.identity import Identity
from schemas.problem_document import problem
from schemas.problems import unavailable

PRIVATE = {"Cache-Control": "no-store"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    401: problem("A token is needed: as bearer, or from the page's sign-in."),
    403: problem("The overview is the coordination unit's."),
    503: problem("The read model cannot be read now."),
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: overview, changes, clock, lost, ended.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    401: _RESPONSES[401],
    403: _RESPONSES[403],
}


def router(feed: OverviewFeed, sign_in: SignIn, now: Now, parties: Mapping[str, str]) -> APIRouter:
    """Return the routes. `parties`: their names as people read them; `now`: the bus's clock."""
    sessions = Sessions(sign_in)
    routes = APIRouter()
    routes.include_router(live_page.router(sessions))

    async def viewer(request: Request) -> Identity:
        return await sessions.check(sessions.token(request))

    @routes.get("/overview", tags=["overview"], response_class=JSONResponse, responses=_RESPONSES)
    async def read_overview(_: Annotated[Identity, Depends(viewer)]) -> Response:
        """Read the overview: each case with its stage, what waits and what was missed, and counts. No persons."""
        if not feed.live:
            raise unavailable("The read model cannot be read now.")
        return JSONResponse(await snapshot(feed, now, parties), headers=PRIVATE)

    @routes.get("/overview/stream", tags=["overview"], response_class=Response, responses=_STREAM)
    async def stream_overview(request: Request, _: Annotated[Identity, Depends(viewer)]) -> Response:
        """Follow the overview as server-sent events: all of it, then what changes."""
        token = sessions.token(request)
        events = stream(feed, now, parties, lambda: sessions.check(token))
        return EventSourceResponse(events, headers=PRIVATE, ping=60)

    return routes
