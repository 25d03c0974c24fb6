"""GET /views: the views of the token's own party, page by page."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from consumers.views_feed import CursorError, ExpiredCursorError, ViewsFeed
from schemas.errors import UnreachableError
from schemas.identity import Identity, Role
from schemas.problem_document import problem
from schemas.problems import Kind, Problem, ProblemError, unavailable

Guard = Callable[[Role], Callable[..., Awaitable[Identity]]]


class ViewsPage(BaseModel):
    """Some views, oldest first, and the cursor of the next page."""

    views: list[dict[str, Any]] = Field(description="Structured CloudEvents; a view keeps its id when it comes again.")
    cursor: str = Field(description="Give it as `after` to go on.", examples=["djEuNDI"])


_RESPONSES: dict[int | str, dict[str, Any]] = {
    410: problem("The views after this cursor are no longer kept: begin again without one."),
    503: problem("The bus cannot be read now."),
}


def router(feed: ViewsFeed, guard: Guard, longest_wait: float) -> APIRouter:
    """Return the route of the views feed; `longest_wait`: seconds that a request may wait."""
    routes = APIRouter(tags=["views"])
    receiver = guard(Role.RECEIVE)

    @routes.get("/views", response_model=ViewsPage, responses=_RESPONSES)
    async def read_views(
        identity: Annotated[Identity, Depends(receiver)],
        after: Annotated[str | None, Query(description="A cursor of an earlier page; none: from the oldest.")] = None,
        wait: Annotated[float, Query(ge=0, le=longest_wait, description="Seconds to wait for a first view.")] = 0,
    ) -> Response:
        """Receive your views: at least once each, under a stable id."""
        try:
            page = await feed.page(identity.party, after, wait)
        except CursorError:
            raise ProblemError(Problem(Kind.INVALID_REQUEST, members={"paths": ["/query/after"]})) from None
        except ExpiredCursorError:
            raise ProblemError(Problem(Kind.EXPIRED_CURSOR)) from None
        except UnreachableError:
            raise unavailable("The bus cannot be read now.") from None
        return JSONResponse({"views": list(page.views), "cursor": page.cursor})

    return routes
