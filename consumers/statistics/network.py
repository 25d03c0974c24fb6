"""Counts that add up, as a network: what an attacker who can calculate gets to know of each.

A table with its margins is a flow: cases come in by rows and go out by columns, and each count is what flows through
one arc. So are two tables that share a margin, or a total. How small and how large a count can still be, given what
is known of all the others, is then the least and the most that its arc can carry, and that is exact in whole numbers
(Ford and Fulkerson): no bound that is merely an estimate stands between the check and what an attacker could find.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise

Node = Hashable
Key = tuple[str, ...]  # () the total; ("outcome", "close") a margin; ("outcome", "close", "age_band", "10_14") a cell
Span = tuple[int, int]  # the least and the most that a count may be


@dataclass(frozen=True, slots=True)
class Arc:
    """A count, between the two sums that it is part of."""

    key: Key
    tail: Node
    head: Node


@dataclass(frozen=True, slots=True)
class Dimension:
    """By what cases are told apart: a closed list of values."""

    name: str
    values: tuple[str, ...]


def network(dimensions: tuple[Dimension, ...], *, crossed: bool) -> tuple[Arc, ...]:
    """Return the counts of one population, told apart by each dimension.

    Crossed: each two neighbours give a table of two dimensions, whose margins the next table shares. Otherwise each
    gives a table of its own, and they share the total alone.
    """
    last = len(dimensions)
    found = [Arc((), (last, "in"), (0, "in"))]
    for place, dimension in enumerate(dimensions):
        for value in dimension.values:
            into: Node = (place, value) if crossed and place else (place, "in")
            out: Node = (place, value, "out") if crossed and place < last - 1 else (place + 1, "in")
            found.append(Arc((dimension.name, value), into, out))
    if crossed:
        found += chain.from_iterable(_cells(place, *two) for place, two in enumerate(pairwise(dimensions)))
    return tuple(found)


def _cells(place: int, rows: Dimension, columns: Dimension) -> Iterable[Arc]:
    for row in rows.values:
        for column in columns.values:
            key = (rows.name, row, columns.name, column)
            yield Arc(key, (place, row, "out"), (place + 1, column))


def span(arcs: Iterable[Arc], counts: Mapping[Key, int], known: Mapping[Key, Span], key: Key) -> Span:
    """Return the least and the most that one count can be, where of each count this is known.

    `counts` are some counts that add up and agree with what is known: the true ones.
    """
    given = tuple(arcs)
    (wanted,) = (arc for arc in given if arc.key == key)
    others = [arc for arc in given if arc.key != key]
    low, high = known[key]
    now = counts[key]
    more = _pushed(others, counts, known, (wanted.head, wanted.tail), high - now)
    less = _pushed(others, counts, known, (wanted.tail, wanted.head), now - low)
    return now - less, now + more


def _pushed(
    arcs: Iterable[Arc], counts: Mapping[Key, int], known: Mapping[Key, Span], way: tuple[Node, Node], most: int
) -> int:
    """Return how much more can flow from one node to another, at most `most`: by shortest ways (Edmonds and Karp)."""
    room: dict[Node, dict[Node, int]] = defaultdict(lambda: defaultdict(int))
    for arc in arcs:
        low, high = known[arc.key]
        room[arc.tail][arc.head] += high - counts[arc.key]
        room[arc.head][arc.tail] += counts[arc.key] - low
    pushed = 0
    while pushed < most and (steps := _way(room, *way)):
        step = min(most - pushed, *(room[tail][head] for tail, head in steps))
        for tail, head in steps:
            room[tail][head] -= step
            room[head][tail] += step
        pushed += step
    return pushed


def _way(room: Mapping[Node, Mapping[Node, int]], start: Node, end: Node) -> list[tuple[Node, Node]]:
    came: dict[Node, Node] = {start: start}
    waiting = deque([start])
    while waiting and end not in came:
        node = waiting.popleft()
        for after, free in room[node].items():
            if free > 0 and after not in came:
                came[after] = node
                waiting.append(after)
    steps = []
    while end in came and end != start:
        steps.append((came[end], end))
        end = came[end]
    return steps
