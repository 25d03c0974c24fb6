"""What was set out to be reached, as ratios within one run; and whether it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` must be at least `least` times each figure whose key begins with `beside` (or is at most `most` of it)."""

    letter: str
    of: str
    beside: str
    words: str
    least: float


RATIOS = (
    Goal("a", "a", "d.", "COORDINATE / idiomatic Faust", 10),
    Goal("a", "a", "e.", "COORDINATE / other frameworks", 2),
    Goal("a", "a", "c.transactional", "COORDINATE / transactional copy", 0.25),
    Goal("f", "f", "f.raw", "audit / raw getmany", 0.3),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A goal held against what was measured."""

    words: str
    beside: str
    measured: float
    goal: str
    met: bool

    def body(self) -> dict[str, str | float | bool]:
        return {
            "what": self.words,
            "beside": self.beside,
            "measured": self.measured,
            "goal": self.goal,
            "met": self.met,
        }


LATENCY_KEY, LATENCY_MS = "h.kafka.50.verdict.p99", 250.0
FLAT = 1.2


def reached(figures: Sequence[Figure]) -> list[Reached]:
    """Return every goal that can be told from what was measured."""
    return [*_ratios(figures), *_flat(figures), *_latency(figures)]


def _flat(figures: Sequence[Figure]) -> list[Reached]:
    """Hold each number of cases against the smallest: how many times as much an event costs."""
    found = []
    for way in ("i.any.", "i.same."):
        sizes = [figure for figure in figures if figure.key.startswith(way)]
        for other in sizes[1:]:
            times = sizes[0].median / other.median
            words = "cost of an event / with fewest cases"
            found.append(Reached(words, other.what, times, f"<= {FLAT:g} x", times <= FLAT))
    return found


def _latency(figures: Sequence[Figure]) -> list[Reached]:
    return [
        Reached("verdict, p99 (ms)", figure.what, figure.median, f"<= {LATENCY_MS:g} ms", figure.median <= LATENCY_MS)
        for figure in figures
        if figure.key in {LATENCY_KEY, LATENCY_KEY.replace("kafka", "http")}
    ]


def _ratios(figures: Sequence[Figure]) -> list[Reached]:
    """Return each ratio for which both figures were measured."""
    found = []
    for goal in RATIOS:
        for own in (figure for figure in figures if figure.key == goal.of):
            for other in figures:
                same = other.key.startswith(goal.beside) if goal.beside.endswith(".") else other.key == goal.beside
                if same and other.median:
                    ratio = own.median / other.median
                    found.append(Reached(goal.words, other.what, ratio, f">= {goal.least:g} x", ratio >= goal.least))
    return found
