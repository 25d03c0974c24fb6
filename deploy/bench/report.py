"""What came of a benchmark: for programs everything, for people a table that needs no knowledge of the bus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.bench.figures import Figure
from deploy.bench.goals import Reached

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures, goals, and on what they were measured. `unmeasured`: what was asked for and could not be."""

    figures: Sequence[Figure]
    goals: Sequence[Reached]
    load: Mapping[str, Any]
    machine: Mapping[str, str | int]
    unmeasured: Sequence[str] = ()

    def body(self) -> dict[str, Any]:
        return {
            "figures": [figure.body() for figure in self.figures],
            "goals": [goal.body() for goal in self.goals],
            "load": dict(self.load),
            "machine": dict(self.machine),
            "unmeasured": list(self.unmeasured),
        }

    def figure_rows(self) -> list[Row]:
        """Return letter, what, median, unit, spread and number of runs."""
        return [
            (
                f"({figure.key.split('.')[0]})",
                figure.what,
                number(figure.median),
                figure.unit,
                f"{figure.spread:.0%}" if len(figure.runs) > 1 else "-",
                str(len(figure.runs)),
            )
            for figure in self.figures
        ]

    def goal_rows(self) -> list[Row]:
        """Return each goal with what was measured."""
        return [
            (goal.words, goal.beside, number(goal.measured), goal.goal, "met" if goal.met else "NOT MET")
            for goal in self.goals
        ]


def number(value: float) -> str:
    """Return a figure as people read it: three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
