"""When a paced consumer may ask a broker again."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.paced_consumer import Pace, _paced

BROKER = 1
FOREVER = 3_600.0
SECONDS = 0.25  # and quarters of seconds below: sums of them are exact


def test_after_a_silence_nothing_waits() -> None:
    pace = Pace(SECONDS)
    assert pace.left(1, now=10.0) == 0
    pace.sent(1, now=10.0)
    assert pace.left(1, now=10.0 + SECONDS) == 0


def test_what_is_asked_soon_waits_for_the_rest_of_the_pace() -> None:
    pace = Pace(SECONDS)
    pace.sent(1, now=10.0)
    assert pace.left(1, now=10.125) == 0.125


def test_what_waited_and_was_not_sent_takes_no_time_from_the_next() -> None:
    pace = Pace(SECONDS)
    pace.sent(1, now=10.0)
    assert [pace.left(1, now=10.125) for _ in range(3)] == [0.125] * 3


def test_no_broker_waits_for_another() -> None:
    pace = Pace(SECONDS)
    pace.sent(1, now=10.0)
    assert pace.left(2, now=10.0) == 0


@given(st.lists(st.integers(0, 8), max_size=40))
def test_two_fetches_are_a_pace_apart(silences: list[int]) -> None:
    """Each is asked for once the one before was sent, as the client does it, and may leave late."""
    pace, now, sent = Pace(SECONDS), 0.0, []
    for silence in silences:
        now += silence / 16
        while wait := pace.left(1, now):
            assert wait <= SECONDS
            now += wait + silence / 64
        pace.sent(1, now)
        sent.append(now)
    assert all(later - earlier >= SECONDS for earlier, later in pairwise(sent))


class Fetches:
    """The client's own way to fetch, which takes note of what it is given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def __call__(self, _assignment: Any, _broker: int, request: str) -> bool:
        self.sent.append(request)
        return True


async def test_what_had_to_wait_is_never_sent_and_brings_nothing_new() -> None:
    """So the client makes another in its place, which asks for what there is to ask for by then."""
    fetches = Fetches()
    fetch = _paced(fetches, Pace(0.05))
    assert [await fetch(None, BROKER, request) for request in "abc"] == [True, False, True]
    assert fetches.sent == ["a", "c"]


async def test_what_is_cancelled_while_it_waits_ends_in_order() -> None:
    fetches = Fetches()
    fetch = _paced(fetches, Pace(FOREVER))
    await fetch(None, BROKER, "a")
    waiting = asyncio.ensure_future(fetch(None, BROKER, "b"))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting is False
    assert fetches.sent == ["a"]
