"""A client that takes a value slowly, on a real socket: what it has not been given yet does not leave any more."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from consumers.vault_answer import CUT
from deploy import web
from tests.http_side import HttpSide
from tests.waiting import eventually
from tests.withdrawing import consented

LITTLE = 4096  # of room on each side of the connection: more than that waits in the server
LONG = b"x" * 250_000
LESS = b"x" * 60_000  # what a stock server takes at once


@asynccontextmanager
async def served(application: ASGIApp) -> AsyncIterator[tuple[str, int]]:
    """Serve on a port whose connections have little room."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LITTLE)
    server = web.server_of(application, "127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        await serving


class Client:
    """Asks, and takes nothing until told to."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        self.socket.connect(place)

    def ask(self, path: str, token: str = "") -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: samspil.test", f"Authorization: Bearer {token}", "Connection: close"]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    async def take(self) -> bytes:
        """Take all that comes."""
        return await asyncio.to_thread(self._take)

    def _take(self) -> bytes:
        taken = b""
        with self.socket:
            try:
                while part := self.socket.recv(65536):
                    taken += part
            except ConnectionResetError:
                pass
        return taken


class Answering:
    """An application that gives one answer and notes when it was taken."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.handed = asyncio.Event()  # the server has all of it
        self.left = asyncio.Event()  # the operating system has
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        length = str(len(self.body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        self.handed.set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self.left.set()


@pytest.mark.parametrize("body", [LESS, LONG], ids=["less", "long"])
@pytest.mark.parametrize("cut", [False, True])
async def test_an_answer_has_left_when_nothing_of_it_waits(body: bytes, *, cut: bool) -> None:
    answering = Answering(body)
    async with served(answering) as place:
        client = Client(place)
        client.ask("/")
        await answering.handed.wait()
        assert not answering.left.is_set()
        if cut:
            answering.scope["extensions"][CUT]()
        taken = await client.take()
        await answering.left.wait()
        assert taken.startswith(b"HTTP/1.1 200")
        assert taken.endswith(body) is not cut


async def test_what_a_slow_reader_has_not_taken_by_the_verdict_never_leaves(side: HttpSide) -> None:
    case = await consented(side, plan=LONG.decode())
    async with served(side.application) as place:
        client = Client(place)
        client.ask(*case.question())
        await eventually(lambda: _has_begun(client))
        withdrawal = await case.withdraw()
        await eventually(withdrawal.told)
        taken = await client.take()
    assert taken.startswith(b"HTTP/1.1 200")
    assert len(taken) < len(LONG)


async def test_who_takes_it_has_all_of_it(side: HttpSide) -> None:
    case = await consented(side, plan=LONG.decode())
    async with served(side.application) as place:
        client = Client(place)
        client.ask(*case.question())
        taken = await client.take()
    assert taken.endswith(b'"' + LONG + b'"')


def _has_begun(client: Client) -> bool:
    try:
        return bool(client.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False
