"""What a check can find, and the result that it adds up to."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Flaw(StrEnum):
    """What must never be."""

    LOST = "lost"  # acknowledged or due, and not there
    TWICE = "twice"  # judged or written more than once
    OUT_OF_ORDER = "out of order"  # not as its publisher said it
    ALTERED = "altered"  # not what was said, or not what follows from it
    WRONGLY_DISCLOSED = "wrongly disclosed"  # no rule of the policy gives it
    STATE = "state differences"  # not what a fresh fold gives
    VERDICT = "verdict differences"  # the verdict table tells its publisher something else
    DEAD = "dead letters"  # nothing in a run is beyond judging


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw, and where it is: places, ids and names of fields, never values."""

    flaw: Flaw
    where: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was looked at."""

    events: int = 0
    acknowledged: int = 0
    refused: int = 0
    duplicates: int = 0
    views: int = 0
    receipts: int = 0
    cases: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What a check looked at and what it found."""

    counts: Counts
    findings: tuple[Finding, ...] = ()
    by_flaw: Counter[Flaw] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not self.findings
