"""Saying events at their due times, whatever came of those before; a late start counts as waiting.

A load that waits for answers would go slower just when the bus does, and so hide what it wants to see.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def said_on_time(
    items: Sequence[T], rate: float, say: Callable[[T, float], Awaitable[None]]
) -> "list[asyncio.Task[None]]":
    """Begin to say one after the other, `rate` a second. `say` is told when it was due (time.perf_counter)."""
    began = time.perf_counter()
    tasks = []
    for number, item in enumerate(items):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(_say(say, item, due)))
    return tasks


async def _say(say: Callable[[T, float], Awaitable[None]], item: T, due: float) -> None:
    await say(item, due)
