"""One base URL: the routers of gateway, vault, views and overview as one application.

Composition alone: what the routers need is made by deploy/web.py and handed in.
"""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import generate_latest
from starlette.types import ASGIApp

from deploy import openapi_document, problem_answers
from deploy.http_front import Front, HttpMetrics
from deploy.readiness import Readiness, RecentReadiness

_DESCRIPTION = (
    "The message bus of a city's coordination unit: say events, deposit what they refer to, receive your views. "
    "Errors are problems (RFC 9457) and never repeat what was sent."
)
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def compose(routers: Iterable[APIRouter], readiness: Readiness, metrics: HttpMetrics) -> ASGIApp:
    """Return what serves: the application behind its front."""
    return Front(application(routers, readiness, metrics), metrics)


def application(routers: Iterable[APIRouter], readiness: Readiness, metrics: HttpMetrics) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="samspil",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,  # no pages of the framework: they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # its redirect repeats the address that was asked for, and the Host header
    )
    for router in routers:
        app.include_router(router)
    app.include_router(_operations(readiness, metrics))
    problem_answers.install(app)
    openapi_document.complete(app)
    return app


def _operations(readiness: Readiness, metrics: HttpMetrics) -> APIRouter:
    routes = APIRouter(tags=["operations"])
    recent = RecentReadiness(readiness.asked)

    @routes.get("/healthz", response_class=PlainTextResponse)
    async def tell_health() -> str:
        """Answer at all: the process lives."""
        return "ok\n"

    @routes.get("/readyz", responses={503: {"description": "One of them does not; which, is in the body."}})
    async def tell_readiness() -> Response:
        """Ask whether database, broker and projector do their work."""
        parts = await recent.asked()
        return JSONResponse(parts, 200 if all(parts.values()) else 503)

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def tell_metrics() -> Response:
        """Return this process's counts, for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=_METRICS_TYPE)

    return routes
