"""Every error over HTTP as a problem (RFC 9457), and none with a value of the input.

What the framework itself would answer (no such route, a parameter that is not one) is translated too.
"""

from http import HTTPStatus

import asyncpg
import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from schemas.errors import BusyError, UnreachableError
from schemas.log_events import LogEvent
from schemas.problems import MEDIA_TYPE, Kind, Problem, ProblemError, unavailable

# Database, broker or issuer are away for a while: the same request may do later.
_PASSING = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection cut off in the middle of an answer
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    BusyError,
    UnreachableError,
)

log = structlog.get_logger()
_KINDS = {kind.status: kind for kind in (Kind.NOT_FOUND, Kind.METHOD_NOT_ALLOWED, Kind.TOO_LARGE)}


def install(app: FastAPI) -> None:
    """Make the application answer its errors as problems."""
    app.add_exception_handler(ProblemError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    for passing in _PASSING:
        app.add_exception_handler(passing, _away)
    app.add_exception_handler(Exception, _failed)


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return the response that tells a problem."""
    return Response(orjson.dumps(problem.body()), problem.http_status, headers, MEDIA_TYPE)


async def _told(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return answer(error.problem, dict(error.headers))


async def _invalid(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    # Places only: the messages of a validator repeat what was sent.
    paths = sorted({"/" + "/".join(map(str, fault["loc"])) for fault in error.errors()})
    return answer(Problem(Kind.INVALID_REQUEST, "A parameter is missing or not of its form.", {"paths": paths}))


async def _framework(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = _KINDS.get(error.status_code)
    if kind is None:
        kind = Kind.INVALID_REQUEST if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else Kind.INTERNAL
    return answer(Problem(kind, status=error.status_code), dict(error.headers or {}))


async def _away(request: Request, error: Exception) -> Response:
    _note(request, error)
    later = unavailable("A part of the bus is away.")
    return answer(later.problem, dict(later.headers))


async def _failed(request: Request, error: Exception) -> Response:
    _note(request, error)
    return answer(Problem(Kind.INTERNAL))


def _note(request: Request, error: Exception) -> None:
    route = getattr(request.scope.get("route"), "path", "unmatched")
    log.error(LogEvent.REQUEST_FAILED, route=route, method=request.method, error=type(error).__name__)
