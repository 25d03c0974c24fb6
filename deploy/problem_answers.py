"""Every error over HTTP as a problem (RFC 9457), and none with a value of the input.

What the framework itself would answer (no such route, a parameter that is not one) is translated too.
"""

from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from schemas.errors import SamspilError
from schemas.log_events import LogEvent
from schemas.problems import MEDIA_TYPE, Kind, Problem, ProblemError

log = structlog.get_logger()
_KINDS = {kind.status: kind for kind in (Kind.NOT_FOUND, Kind.METHOD_NOT_ALLOWED, Kind.TOO_LARGE)}


def install(app: FastAPI) -> None:
    """Make the application answer its errors as problems."""
    app.add_exception_handler(ProblemError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
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


async def _failed(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "unmatched")
    name = type(error).__name__
    log.error(LogEvent.REQUEST_FAILED, route=route, method=request.method, error=name)
    ours = isinstance(error, SamspilError)
    return answer(Problem(Kind.UNAVAILABLE if ours else Kind.INTERNAL))
