"""Attacks on released counts: nobody who knows all releases, and the method, can work out a count under five.

The attacker here is none of the program's own: it makes every table that there could be, releases each, and looks at
which of them a release could have come from (nothing stays hidden from one who can do that). Where tables are too many
for that, it narrows down what each count can be, sum by sum, until nothing more follows. Both fail to find a count
as long as the guards stand, and find one once any of them is taken away.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.statistics import protection, release, tables
from consumers.statistics.network import Dimension, Key, span
from consumers.statistics.protection import LEAST, VALUES, Shown
from consumers.statistics.tables import POPULATIONS, Population
from schemas.contract import Contract
from tests.guards import Guards, patched

HELD = Guards()
LINE = Population("line", (Dimension("a", ("u", "v", "w")),), sums=True)
SHARED = Population("shared", (Dimension("a", ("u", "v")), Dimension("b", ("x", "y"))), sums=True)
SQUARE = Population("square", (Dimension("a", ("u", "v")), Dimension("b", ("x", "y"))), crossed=True, sums=True)
# How many cases there can be in one count: all that are shown as the same number, or none of them.
MOST = {LINE.name: 12, SHARED.name: 12, SQUARE.name: 7}

World = dict[Key, int]
Release = tuple[tuple[Key, Shown], ...]


@cache
def _worlds(name: str) -> tuple[World, ...]:
    """Make every table of a population."""
    population = next(one for one in (LINE, SHARED, SQUARE) if one.name == name)
    finest: list[list[Key]] = [[(d.name, value) for value in d.values] for d in population.dimensions]
    if population.crossed:
        finest = [[(*a, *b) for a, b in itertools.product(*finest)]]
    ways = [_ways(keys, MOST[name]) for keys in finest]
    alike = (parts for parts in itertools.product(*ways) if len({sum(part.values()) for part in parts}) == 1)
    return tuple(population.counts({k: n for part in parts for k, n in part.items()}) for parts in alike)


def _ways(keys: Sequence[Key], most: int) -> list[World]:
    every = itertools.product(range(most + 1), repeat=len(keys))
    return [dict(zip(keys, numbers, strict=True)) for numbers in every]


def _possible(population: Population) -> Mapping[Release, list[World]]:
    """Say of each release from which tables it can have come."""
    found: dict[Release, list[World]] = defaultdict(list)
    seen: dict[tuple[Shown, ...], Release] = {}  # what is released follows from what each count looks like
    for world in _worlds(population.name):
        looks = tuple(protection.alone(count) for count in world.values())
        if looks not in seen:
            seen[looks] = tuple(sorted(protection.protected(population.arcs, world).items()))
        found[seen[looks]].append(world)
    return found


def _small_ones(population: Population) -> Iterator[tuple[Release, Key, set[int]]]:
    """Tell what an attacker would find: counts known to be under five, with the values that are left for each."""
    for told, worlds in _possible(population).items():
        for key, _ in told:
            left = {world[key] for world in worlds}
            if max(left) < LEAST:
                yield told, key, left


def _exact(count: int) -> int:
    return count


def _no_look(*_: object) -> bool:
    return False


@HELD.check(
    rounding=patched(protection, "rounded", _exact),
    complementary_suppression=patched(protection, "gives_away", _no_look),
    threshold=patched(protection, "LEAST", 1),
)
def no_small_count_is_worked_out(_given: Contract) -> None:
    """Who makes every table and releases each, knowing the method, is left with three values of each small count."""
    for population in (LINE, SHARED, SQUARE):
        found = [len(left) for _, _, left in _small_ones(population)]
        assert found
        assert min(found) >= VALUES, population.name


@HELD.check(
    threshold=patched(protection, "LEAST", 1),
    rounding=patched(protection, "rounded", _exact),
)
def what_is_shown_is_five_or_more_and_coarse(_given: Contract) -> None:
    """A number that is shown is a multiple of five, and stands for three counts or more, none of them under five."""
    for told, worlds in _possible(LINE).items():
        for key, number in told:
            if number is not None:
                assert number % 5 == 0
                assert min(world[key] for world in worlds) >= 5
    left = defaultdict(set)
    for count in range(100):
        left[protection.alone(count)].add(count)
    assert all(len(counts) >= VALUES for number, counts in left.items() if number != 100)


# The same on whole releases, several years of them, with every table and sum.


@st.composite
def years(draw: st.DrawFn) -> list[dict[str, dict[Key, int]]]:
    """Return what was counted in some years; small numbers are many, since they are what an attack is after."""
    return [{one.name: draw(_counted(one)) for one in POPULATIONS} for _ in range(draw(st.integers(1, 3)))]


def _counted(population: Population) -> st.SearchStrategy[dict[Key, int]]:
    values = st.fixed_dictionaries({d.name: st.sampled_from(d.values) for d in population.dimensions})
    cases = st.lists(st.tuples(values, st.sampled_from((1, 1, 2, 3, 4, 5, 9))), max_size=25)
    return cases.map(lambda drawn: _kept(population, drawn))


def _kept(population: Population, drawn: Iterable[tuple[Mapping[str, str], int]]) -> dict[Key, int]:
    kept: dict[Key, int] = defaultdict(int)
    for values, number in drawn:
        for key in population.keys_of(values):
            kept[key] += number
    return dict(kept)


def _told(year: int, kept: Mapping[str, Mapping[Key, int]]) -> dict[str, dict[Key, Shown]]:
    """Read a release as everybody can."""
    body = orjson.loads(release.release(year, kept, {}))
    return {
        one["name"]: {_key(one["name"], count["by"]): count["number"] for count in one["counts"]}
        for one in body["populations"]
    }


def _key(population: str, by: Mapping[str, str]) -> Key:
    names = [d.name for d in tables.POPULATION[population].dimensions if d.name in by]
    return tuple(part for name in names for part in (name, by[name]))


def narrowed(population: Population, shown: Mapping[Key, Shown]) -> dict[Key, tuple[int, int]]:
    """Return what each count can be: first by itself, then by each sum that it is part of, until nothing changes."""
    found = {key: _by_itself(number) for key, number in shown.items()}
    sums = list(_sums(population)) if population.sums else []
    while True:
        before = dict(found)
        for whole, parts in sums:
            low, high = sum(found[part][0] for part in parts), sum(found[part][1] for part in parts)
            found[whole] = (max(found[whole][0], low), min(found[whole][1], high))
            for part in parts:
                most = found[whole][1] - (low - found[part][0])
                least = found[whole][0] - (high - found[part][1])
                found[part] = (max(found[part][0], least), min(found[part][1], most))
        if found == before:
            return found


def _by_itself(number: Shown) -> tuple[int, int]:
    # It is known that what is rounded to five was five or more, and that what is hidden is under five.
    return (0, 4) if number is None else (max(5, number - 2), number + 2)


def _sums(population: Population) -> Iterator[tuple[Key, list[Key]]]:
    for dimension in population.dimensions:
        yield (), [(dimension.name, value) for value in dimension.values]
    for table in population.tables if population.crossed else ():
        for one, other in (table, table[::-1]):
            for value in one.values:
                cells = [(one.name, value, other.name, v) for v in other.values]
                yield (one.name, value), [key if one is table[0] else (*key[2:], *key[:2]) for key in cells]


def _withheld(shown: Mapping[Key, Shown]) -> bool:
    return all(number is None for number in shown.values())


@settings(max_examples=20, deadline=None)
@given(years())
def test_several_years_leave_every_small_count_open(counted: list[dict[str, dict[Key, int]]]) -> None:
    for place, kept in enumerate(counted):
        for name, shown in _told(2026 + place, kept).items():
            population = tables.POPULATION[name]
            counts = population.counts(kept[name])
            assert all(number is None for key, number in shown.items() if counts[key] < LEAST)
            if _withheld(shown):
                continue  # then small counts are not told from others
            for key, (least, most) in narrowed(population, shown).items():
                assert least <= counts[key] <= most
                assert shown[key] is not None or most - least + 1 >= VALUES, (name, key)


@settings(max_examples=25, deadline=None)
@given(years(), st.data())
def test_one_case_more_is_seen_as_a_step_of_rounding_at_most(
    counted: list[dict[str, dict[Key, int]]], data: st.DataObject
) -> None:
    """Of two releases that differ by one case no number differs by one: by none, by a step, or it is hidden."""
    kept = counted[0]
    name = data.draw(st.sampled_from(sorted(tables.POPULATION)))
    population = tables.POPULATION[name]
    values = {d.name: data.draw(st.sampled_from(d.values)) for d in population.dimensions}
    one_more = dict(kept[name])
    for key in population.keys_of(values):
        one_more[key] = one_more.get(key, 0) + 1
    before, after = _told(2026, kept)[name], _told(2026, {**kept, name: one_more})[name]
    assert all(_step(before[key], after[key]) in {0, 5, None} for key in before)


def _step(before: Shown, after: Shown) -> int | None:
    return None if before is None or after is None else after - before


def test_no_count_is_published_twice() -> None:
    """No two years, and no two populations, have a sum in common: what could be subtracted is in one release alone."""
    assert len({one.name for one in POPULATIONS}) == len(POPULATIONS)
    for population in POPULATIONS:
        assert all(len(table) <= 2 for table in population.tables)
        assert population.sums or len(population.dimensions) <= 1
        shown = population.shown({})
        assert len(shown) == len(set(shown))


def test_the_exact_look_agrees_with_every_table_that_there_could_be() -> None:
    """What `span` says is what enumerating finds, on a release that shows all its rounded numbers."""
    for told, worlds in itertools.islice(_possible(SQUARE).items(), 0, None, 7):
        if _withheld(dict(told)):
            continue
        known = {key: protection.meant_by(number) for key, number in told}
        for key, _ in told:
            left = {world[key] for world in worlds}
            assert span(SQUARE.arcs, worlds[0], known, key) == (min(left), max(left))


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)
