"""What somebody waits for, told within one process: waiting for it costs nothing, asking the database again does."""

import asyncio


class News:
    """Wakes all who wait for what comes next. For one event loop."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._next: asyncio.Future[None] | None = None

    def next(self) -> "asyncio.Future[None]":
        """Return what is done once something has come after now. Take it before you look, or you may miss it.

        Others wait for the same: wait with `asyncio.wait`, which leaves it to them when you give up.
        """
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def come(self) -> None:
        """Wake all who wait."""
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
