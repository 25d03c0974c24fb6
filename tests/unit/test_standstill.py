"""When something has waited too long: on a made-up clock."""

import pytest

from streams.standstill import Standstill

LIMIT, MOST = 60.0, 10.0


@pytest.fixture
def still() -> Standstill[str]:
    return Standstill(LIMIT, MOST)


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
    """This process was frozen for an hour, twice."""
    assert _looks(still, {"p": 7}, 0, 3600, 7200, 7210) == [{}] * 4


def test_the_first_look_counts_nothing(still: Standstill[str]) -> None:
    assert still.over({"p": 7}, 1_000_000) == {}
    assert _looks(still, {"p": 7}, *range(1_000_010, 1_000_061, 10)) == [{}] * 6


def test_no_look_counts_more_than_it_may(still: Standstill[str]) -> None:
    """However seldom the looks are: so many of them are needed."""
    looks = _looks(still, {"p": 7}, *range(0, 8 * 1000, 1000))
    assert looks == [{}] * 7 + [{"p": 70.0}]


def test_an_hour_without_an_answer_counts_nothing(still: Standstill[str]) -> None:
    _looks(still, {"p": 7}, 0, 10, 20, 30, 40, 45)
    still.pass_over()
    assert _looks(still, {"p": 7}, 3645, 3655) == [{}] * 2  # 45 s and 10 s
    assert still.over({"p": 7}, 3661) == {"p": 61.0}


def test_looks_of_which_each_follows_a_failed_one_count_nothing(still: Standstill[str]) -> None:
    for now in range(0, 10_000, 30):
        assert still.over({"p": 7}, now) == {}
        still.pass_over()


def test_what_moved_while_nothing_was_answered_begins_anew(still: Standstill[str]) -> None:
    _looks(still, {"p": 7}, *range(0, 61, 10))
    still.pass_over()
    assert _looks(still, {"p": 8}, *range(3600, 3661, 10)) == [{}] * 7
