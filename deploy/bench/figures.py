"""Figures and their statistics: medians of runs, percentiles of samples, rates between two instants."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any

from schemas.errors import MisconfiguredError

Detail = int | float | str | bool
_TOO_FEW = "too few events to tell a rate from; give more with --events."


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing: a value a run, and what else is worth telling of each run."""

    key: str  # for programs: "a", "c.transactional"
    what: str
    unit: str
    runs: tuple[float, ...]
    details: tuple[dict[str, Detail], ...] = ()

    @property
    def median(self) -> float:
        return median(self.runs)

    @property
    def spread(self) -> float:
        """Return how far the runs lie apart, as a share of the median."""
        return (max(self.runs) - min(self.runs)) / self.median if self.median else 0.0

    def body(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "what": self.what,
            "unit": self.unit,
            "median": self.median,
            "runs": list(self.runs),
            "details": list(self.details),
        }


@dataclass(slots=True)
class Series:
    """A figure as its runs come in."""

    key: str
    what: str
    unit: str = "events/s"
    runs: list[float] = field(default_factory=list)
    details: list[dict[str, Detail]] = field(default_factory=list)

    def add(self, value: float, **detail: Detail) -> None:
        self.runs.append(value)
        self.details.append(detail)

    def figure(self) -> Figure:
        return Figure(self.key, self.what, self.unit, tuple(self.runs), tuple(self.details))


def rate(stamps: Sequence[int], skip: int) -> float:
    """Return records a second from the `skip`th on. `stamps`: when each was written, milliseconds, ascending.

    What was written in the first instant was begun before it, so it does not count. Raises MisconfiguredError where
    nothing was written, or everything at once.
    """
    if not stamps:
        raise MisconfiguredError(_TOO_FEW)
    first = stamps[min(skip, len(stamps) - 1)]
    after = sum(1 for stamp in stamps if stamp > first)
    if not after:
        raise MisconfiguredError(_TOO_FEW)
    return after * 1000 / (stamps[-1] - first)


def rate_since(stamps: Sequence[int], began: int) -> float:
    """Return records a second from a moment on until the last was written. Raises MisconfiguredError where none was."""
    if not stamps or stamps[-1] <= began:
        raise MisconfiguredError(_TOO_FEW)
    return len(stamps) * 1000 / (stamps[-1] - began)


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that this share of the samples does not exceed (nearest rank)."""
    ranked = sorted(samples)
    return ranked[max(0, ceil(share * len(ranked)) - 1)]
