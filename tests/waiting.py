"""Waiting for what is about to become true: a condition is polled, nothing sleeps for luck."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_PAUSE_SECONDS = 0.05


@overload
async def eventually(condition: Callable[[], Awaitable[T | None]], timeout: float = 20) -> T: ...  # noqa: ASYNC109 - as below
@overload
async def eventually(condition: Callable[[], T | None], timeout: float = 20) -> T: ...  # noqa: ASYNC109 - as below
async def eventually(condition: Callable[[], Any], timeout: float = 20) -> Any:  # noqa: ASYNC109 - the caller's words
    """Poll the condition, plain or awaitable, until what it gives is true; give that."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s; last value: {value!r}")
        await asyncio.sleep(_PAUSE_SECONDS)


def eventually_sync(condition: Callable[[], T], timeout: float = 20) -> T:
    """As eventually, for tests without a loop."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s; last value: {value!r}")
        time.sleep(_PAUSE_SECONDS)
    return value
