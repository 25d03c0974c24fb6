"""The faults of a chaos run: the same for the same seed, every kind in each run."""

from collections import Counter

import pytest

from tests.chaos.plan import WEIGHTS, Kind, Shape, draw

SHORT, LONG = Shape(6, 5.0), Shape(250, 60.0)


@pytest.mark.parametrize("shape", [SHORT, LONG])
def test_the_same_seed_gives_the_same_faults(shape: Shape) -> None:
    assert draw(7, shape) == draw(7, shape)
    assert len({draw(seed, shape) for seed in range(20)}) == 20


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [SHORT, LONG])
def test_every_kind_comes_and_as_many_kills_as_wished(seed: int, shape: Shape) -> None:
    kinds = Counter(fault.kind for fault in draw(seed, shape))
    assert set(kinds) == set(Kind)
    assert sum(kinds[kind] for kind in WEIGHTS) == shape.kills


@pytest.mark.parametrize("shape", [SHORT, LONG])
def test_workers_are_one_then_three_then_two_and_zombies_have_a_successor(shape: Shape) -> None:
    workers, scalings = 1, []
    for fault in draw(7, shape):
        if fault.kind is Kind.SCALE:
            workers = fault.number
            scalings.append(workers)
        assert workers > 1 or fault.kind not in {Kind.FREEZE_WORKER, Kind.REPLACE_FROZEN}
    assert scalings == [3, 2, *[1, 3, 2] * (len(scalings) // 3)]


def test_postgres_is_away_for_long_once() -> None:
    away = [fault.seconds for fault in draw(7, LONG) if fault.kind is Kind.STOP_POSTGRES]
    assert (away[0], max(away[1:]) <= 5.0) == (60.0, True)
