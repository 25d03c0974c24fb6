"""A reader of the vault whose connection a test can hold shut, and which notes when each part of an answer left."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Scope


@dataclass
class Reader:
    """One request, over ASGI without a socket."""

    application: ASGIApp
    path: str
    token: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)  # the first part is about to leave
    open: asyncio.Event = field(default_factory=asyncio.Event)  # shut, nothing leaves
    parts: list[tuple[float, Message]] = field(default_factory=list)  # when it left, on the monotonic clock

    async def read(self) -> None:
        """Ask, and take what comes."""
        await self.application(self._scope(), _nothing_more, self._take)

    @property
    def status(self) -> int:
        return int(self.parts[0][1]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for _, message in self.parts)

    @property
    def last_left(self) -> float:
        """When the last byte left."""
        return self.parts[-1][0]

    async def _take(self, message: Message) -> None:
        self.reached.set()
        await self.open.wait()
        self.parts.append((time.monotonic(), message))

    def _scope(self) -> Scope:
        headers: Sequence[tuple[bytes, bytes]] = [(b"authorization", f"Bearer {self.token}".encode())]
        plain: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
        return {**plain, "scheme": "http", "path": self.path, "root_path": "", "query_string": b"", "headers": headers}


async def _nothing_more() -> Message:
    await asyncio.Event().wait()
    raise AssertionError
