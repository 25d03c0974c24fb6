"""A value on its way out: sent inside the reading that allows it, which ends when the value has left.

What a server still has to write has not left. So the last part is empty: the server takes it only when nothing of the
part before waits in it (deploy/http_connection.py). A reading that ends earlier, because its time is up, its pin was
lost or it was cancelled, cuts the connection: what waits is never written.
"""

from contextlib import AbstractAsyncContextManager

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from consumers.vault import Value
from schemas.log_events import LogEvent
from schemas.problems import ProblemError

log = structlog.get_logger()
CUT = "samspil.cut"  # ASGI extension: ends the connection at once, with all that waits to be written


class ValueAnswer(Response):
    """The answer 200, or the problem that the reading raises instead of giving a value."""

    def __init__(self, reading: AbstractAsyncContextManager[Value]) -> None:
        """Take what gives the value, and whose end says that it may leave no longer."""
        super().__init__()
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Read, and send what was read."""
        begun = False
        try:
            async with self._reading as value:
                begun = True
                await _hand_over(value, scope, send)
        except ProblemError:
            if not begun:  # otherwise there is nobody left to tell
                raise


async def _hand_over(value: Value, scope: Scope, send: Send) -> None:
    answer = Response(value.body, media_type=value.content_type)
    try:
        await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await send({"type": "http.response.body", "body": value.body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except BaseException as error:
        log.warning(LogEvent.READ_CUT, error=type(error).__name__)
        scope.get("extensions", {}).get(CUT, _leave)()
        raise


def _leave() -> None:
    """Leave it to the server, which closes a connection whose answer was not ended."""
