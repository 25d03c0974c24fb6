"""When something has waited too long: on a made-up clock."""

import pytest

from streams.standstill import Standstill

LIMIT, GAP = 60.0, 10.0


@pytest.fixture
def still() -> Standstill[str]:
    return Standstill(LIMIT, GAP)


def _looks(still: Standstill[str], waiting: dict[str, int], *times: float) -> list[dict[str, float]]:
    return [still.over(waiting, now) for now in times]


def test_what_waits_at_one_place_is_over_its_limit_in_time(still: Standstill[str]) -> None:
    looks = _looks(still, {"p": 7}, *range(100, 161, 10), 161)
    assert looks[:-1] == [{}] * 7
    assert looks[-1] == {"p": 61.0}


def test_what_moves_begins_anew(still: Standstill[str]) -> None:
    _looks(still, {"p": 7}, *range(0, 60, 10))
    assert _looks(still, {"p": 8}, *range(60, 121, 10)) == [{}] * 7
    assert still.over({"p": 8}, 121) == {"p": 61.0}


def test_what_does_not_wait_begins_anew(still: Standstill[str]) -> None:
    _looks(still, {"p": 7}, *range(0, 60, 10))
    assert still.over({}, 60) == {}
    assert _looks(still, {"p": 7}, *range(70, 131, 10)) == [{}] * 7


def test_each_is_its_own_matter(still: Standstill[str]) -> None:
    for now in range(0, 70, 10):
        still.over({"p": 7, "q": now}, now)
    assert still.over({"p": 7, "q": 0}, 70) == {"p": 70.0}


def test_time_in_which_nobody_looked_does_not_count(still: Standstill[str]) -> None:
    """The broker could not be asked, or this process was frozen for an hour."""
    assert _looks(still, {"p": 7}, 0, 3600, 7200, 7210) == [{}] * 4


def test_the_first_look_counts_nothing(still: Standstill[str]) -> None:
    assert still.over({"p": 7}, 1_000_000) == {}
    assert _looks(still, {"p": 7}, *range(1_000_010, 1_000_061, 10)) == [{}] * 6
