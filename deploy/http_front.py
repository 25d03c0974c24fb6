"""Around every HTTP answer: headers that keep a browser careful, and counts that name nobody.

The route is counted by its pattern, never by the address asked for: that may hold anything.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
_UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class HttpMetrics:
    """Counts of this process, in a registry of its own."""

    def __init__(self) -> None:
        """Make the registry."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "samspil_http_requests", "HTTP requests", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "samspil_http_seconds", "Time until the answer begins", ("route",), registry=self.registry
        )
        self._said = Counter(
            "samspil_events_said",
            "Events said over HTTP, by what became of them at the gateway",
            ("outcome",),
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def said(self, outcome: str) -> None:
        self._said.labels(outcome).inc()


class Front:
    """ASGI middleware: security headers on, answers counted."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        """Wrap an application."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _careful(MutableHeaders(scope=message))
                seconds = time.perf_counter() - started
                self._metrics.answered(scope["method"], _route(scope), message["status"], seconds)
            await send(message)

        await self._app(scope, receive, answer)


def _careful(headers: MutableHeaders) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)  # a page may say more narrowly what it needs
    headers.setdefault("Cache-Control", "no-store")


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", _UNMATCHED)
