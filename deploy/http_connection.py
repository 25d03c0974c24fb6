"""One HTTP connection of the server, so that what was sent has left.

Stock, the server takes an answer of any size at once and writes it when the client makes room. Here it takes the next
part of an answer only when all before it is the operating system's, and an application can cut the connection, with
what still waits. A value of the vault needs both: the right to send it ends (consumers/vault_answer.py).
"""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from consumers.vault_answer import CUT


class Connection(H11Protocol):
    """The stock connection with these two changes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what the server gives."""
        super().__init__(*arguments, **named)
        self.app: Any = _with_cut(self.app, self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the stock one
        transport.set_write_buffer_limits(high=0)
        super().connection_made(transport)


def _with_cut(app: Any, connection: Connection) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[CUT] = connection.transport.abort
        await app(scope, receive, send)

    return answer
