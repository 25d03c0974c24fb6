"""The faults of a chaos run: the same for the same seed, every kind in each run, some while others last."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.chaos.plan import LASTING, WEIGHTS, Fault, Kind, Shape, draw

SHORT, LONG, CLUSTER = Shape(6, 5.0), Shape(250, 60.0), Shape(43, 60.0, broker_kills=12)
SHAPES = [SHORT, LONG, CLUSTER]
AWAY = {Kind.KILL_BROKER, Kind.FREEZE_BROKER}


def everything(seed: int, shape: Shape) -> list[Fault]:
    """Return what comes alone, what lasts, and what comes while that does."""
    return [one for fault in draw(seed, shape) for one in (fault, *fault.meanwhile)]


def parts(plan: tuple[Fault, ...]) -> Iterator[list[Fault]]:
    """Yield the faults between two changes of the number of workers."""
    part: list[Fault] = []
    for fault in plan:
        if fault.kind is Kind.SCALE:
            yield part
            part = []
        else:
            part.append(fault)
    yield part


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_seed_gives_the_same_faults(shape: Shape) -> None:
    assert draw(7, shape) == draw(7, shape)
    assert len({draw(seed, shape) for seed in range(20)}) == 20


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", SHAPES)
def test_every_kind_comes_and_as_many_kills_as_wished(seed: int, shape: Shape) -> None:
    kinds = Counter(fault.kind for fault in everything(seed, shape))
    assert set(kinds) == set(Kind)
    assert sum(kinds[kind] for kind in WEIGHTS) == shape.kills


@pytest.mark.parametrize("seed", range(20))
def test_the_first_round_has_every_kind(seed: int) -> None:
    first = [fault for part in list(parts(draw(seed, LONG)))[:3] for fault in part]
    assert {one.kind for fault in first for one in (fault, *fault.meanwhile)} == set(Kind) - {Kind.SCALE}


@pytest.mark.parametrize("shape", SHAPES)
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


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", SHAPES)
def test_kills_that_are_over_at_once_come_while_a_fault_lasts(seed: int, shape: Shape) -> None:
    for fault in draw(seed, shape):
        assert fault.kind in LASTING or not fault.meanwhile
        assert {kill.kind for kill in fault.meanwhile} <= set(WEIGHTS) - LASTING
        assert not any(kill.meanwhile for kill in fault.meanwhile)
        assert sum(kill.pause for kill in fault.meanwhile) <= fault.seconds + 0.1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", SHAPES)
def test_what_lasts_has_a_kill_meanwhile_where_any_is_left(seed: int, shape: Shape) -> None:
    for part in parts(draw(seed, shape)):
        if any(fault.kind not in LASTING for fault in part):
            assert all(fault.meanwhile for fault in part if fault.kind in LASTING)


@pytest.mark.parametrize("seed", range(20))
def test_each_fault_that_lasts_has_kills_and_most_kills_come_alone(seed: int) -> None:
    plan = draw(seed, LONG)
    assert {fault.kind for fault in plan if fault.meanwhile} == LASTING
    assert sum(len(fault.meanwhile) for fault in plan) < LONG.kills / 2
    minute = next(fault for fault in plan if fault.seconds == LONG.postgres_seconds)
    assert 5 <= len(minute.meanwhile) <= 10


@pytest.mark.parametrize("seed", range(20))
def test_on_a_cluster_each_of_four_leaders_goes_three_times_and_some_kills_come_alone(seed: int) -> None:
    plan = draw(seed, CLUSTER)
    assert sum(fault.kind is Kind.KILL_BROKER for fault in plan) >= CLUSTER.broker_kills
    assert sum(fault.kind in AWAY for fault in plan) >= 4 * 3
    assert sum(fault.kind in set(WEIGHTS) - LASTING for fault in plan) >= 3


def test_a_fault_tells_what_comes_meanwhile() -> None:
    kill, web = Fault(Kind.KILL_WORKER, 0.0, 0.5, 1), Fault(Kind.KILL_WEB, 0.0, 0.5, 1)
    assert str(kill) == "a worker killed"
    frozen = Fault(Kind.FREEZE_BROKER, 5.0, 0.5, 1, (kill, web, kill))
    assert str(frozen) == "the broker frozen (meanwhile a worker killed x2, the web process killed)"
