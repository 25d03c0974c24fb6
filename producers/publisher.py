"""How a party speaks to the bus over HTTP: deposits first, then events that refer to them, each with its verdict.

Everything here can be said again: a deposit under its reference, an event under its id. So what the bus does
not take now, or what got lost on the way, is simply sent again, a little later each time, until patience ends.
"""

import asyncio
import random
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from schemas.attributes import JSON, STRUCTURED
from schemas.errors import MisconfiguredError, SamspilError, UnreachableError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_ANSWER_WITHIN = 15.0  # seconds, beside what the answer itself was asked to wait
_LATER = frozenset({429, 502, 503, 504})


class RejectedError(SamspilError):
    """The gateway does not take this:"""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep the status and the problem's kind, which hold nothing of what was sent."""
        kind = str(problem.get("type", "")).rpartition(":")[2] or "unknown"
        super().__init__(f"{kind} ({status})")
        self.status = status
        self.problem = dict(problem)


class Publisher:
    """One party's voice: its token decides who it is."""

    def __init__(
        self, base_url: str, token: str, *, client: httpx.AsyncClient | None = None, patience: float = 60.0
    ) -> None:
        """`client`: one to share; `patience`: seconds to go on while the bus takes nothing."""
        self._client = client or httpx.AsyncClient()
        self._owned = client is None
        self._base = base_url.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._patience = patience

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._owned:
            await self._client.aclose()

    async def deposit(self, ref: str, case: str, field: str, value: Any) -> None:
        """Deposit a value for a field of a case under a reference (`vault:<uuid>`). Raises RejectedError."""
        body = orjson.dumps(value)
        place = {"case": case, "field": field}
        answer = await self._sent(
            "PUT", f"/vault/{ref.removeprefix('vault:')}", body, {"Content-Type": JSON}, params=place
        )
        _require(answer, 201, 204)

    async def publish(self, event: bytes | Mapping[str, Any], wait: float | None = 30.0) -> dict[str, Any]:
        """Say an event (a structured CloudEvent) and return its verdict, which can be a refusal.

        The verdict is `pending` where it takes longer than `wait` seconds, or where nobody waits. Raises
        RejectedError for what is no event at all to the gateway: no token, no right, no such content type.
        """
        body = bytes(event) if isinstance(event, bytes) else orjson.dumps(event)
        prefer = {} if wait is None else {"Prefer": f"wait={max(0, round(wait))}"}
        answer = await self._sent("POST", "/events", body, {"Content-Type": STRUCTURED, **prefer}, wait=wait or 0)
        return _verdict(answer)

    async def verdict(self, event: str) -> dict[str, Any] | None:
        """Return an event's acceptance, else its newest refusal, or None where there is no verdict (yet)."""
        answer = await self._sent("GET", f"/events/{event}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else _body(_require(answer, 200))

    async def _sent(  # noqa: PLR0913 - one request's parts
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        wait: float = 0,
    ) -> httpx.Response:
        """Send until it is answered with anything but "later".

        Raises UnreachableError when patience ends, MisconfiguredError for what can never be sent.
        """
        request = self._client.build_request(
            method,
            self._base + path,
            content=body,
            headers={**self._authorization, **(headers or {})},
            params=params,
            timeout=_ANSWER_WITHIN + wait,
        )
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, _FIRST_PAUSE
        while True:
            answer = await self._once(request)
            if answer is not None and answer.status_code not in _LATER:
                return answer
            if loop.time() + pause > until:
                raise UnreachableError("the gateway" if answer is None else f"the gateway ({answer.status_code})")
            # Spread out, so that those whom one stop sent away do not all come back at the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _once(self, request: httpx.Request) -> httpx.Response | None:
        try:
            return await self._client.send(request)
        except httpx.LocalProtocolError:  # its text may hold the token; sent again it would be as wrong
            raise MisconfiguredError("the request cannot be written: is the token one?") from None
        except httpx.TransportError:
            return None


def _verdict(answer: httpx.Response) -> dict[str, Any]:
    body = _body(answer)
    if answer.status_code in {200, 202}:
        return body
    if body.get("verdict") == "refused":
        return {name: body[name] for name in ("id", "verdict", "reason", "paths")}
    raise RejectedError(answer.status_code, body)


def _require(answer: httpx.Response, *expected: int) -> httpx.Response:
    if answer.status_code not in expected:
        raise RejectedError(answer.status_code, _body(answer))
    return answer


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
