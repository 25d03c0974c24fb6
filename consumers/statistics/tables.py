"""What is counted, and by what it is told apart: closed lists of the catalogue, two of them at the most.

Counted are cases, never events: five meetings about one young person are one case. A case counts once under each
value. Where it can stand under one value alone (how it was screened first), the counts add up and are shown with
their sums. Where it can stand under several (meetings in two forums), each count stands by itself, with no sum.
Only activities outside cases are counted each.

Never by party, district, signs or belief. No two populations are the same cases, so no count is published twice:
what is raised in a year may be screened in the next. By that, and since a case is raised, screened first and closed
once, a release has no sum in common with another year's. That who was screened had been raised tells an attacker that
one count is no larger than others together, which leaves every hidden one its smaller values; it gives no equation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from consumers.statistics.network import Arc, Dimension, Key, network
from consumers.statistics.protection import Shown, alone, protected
from schemas.event_data import fields_of
from schemas.events import EVENTS
from schemas.field_type import field_type


@dataclass(frozen=True)
class Population:
    """Cases of one year that have something in common. `sums`: each stands under one value of a dimension alone."""

    name: str
    dimensions: tuple[Dimension, ...] = ()
    crossed: bool = False
    sums: bool = False

    @property
    def tables(self) -> tuple[tuple[Dimension, ...], ...]:
        """What is shown as a table each."""
        if self.crossed:
            return tuple(pairwise(self.dimensions))
        return tuple((dimension,) for dimension in self.dimensions) or ((),)

    @cached_property
    def arcs(self) -> tuple[Arc, ...]:
        """How the counts add up."""
        return network(self.dimensions, crossed=self.crossed)

    def keys_of(self, values: Mapping[str, str]) -> tuple[Key, ...]:
        """Return the finest counts that something with these values belongs to: all others are their sums."""
        return tuple(tuple(part for d in table for part in (d.name, values[d.name])) for table in self.tables)

    def counts(self, kept: Mapping[Key, int]) -> dict[Key, int]:
        """Return every count from the finest ones."""
        if not self.sums:
            keys = (self.keys_of({d.name: value}) for d in self.dimensions for value in d.values)
            return {key: kept.get(key, 0) for key in ([one for (one,) in keys] or [()])}
        return {arc.key: _sum(kept, arc.key, self.tables) for arc in self.arcs}

    def shown(self, kept: Mapping[Key, int]) -> dict[Key, Shown]:
        """Return what is published of each count."""
        counts = self.counts(kept)
        if self.sums:
            return protected(self.arcs, counts)
        return {key: alone(count) for key, count in counts.items()}


def _sum(kept: Mapping[Key, int], key: Key, tables: Iterable[tuple[Dimension, ...]]) -> int:
    """Add up what belongs to a count, in the first table that tells of it."""
    wanted = _values(key)
    table = next(table for table in tables if wanted.keys() <= {dimension.name for dimension in table})
    names = tuple(dimension.name for dimension in table)
    return sum(count for k, count in kept.items() if k[::2] == names and wanted.items() <= _values(k).items())


def _values(key: Key) -> dict[str, str]:
    return dict(zip(key[::2], key[1::2], strict=True))


def _by(type_: str, field: str) -> Dimension:
    return Dimension(field, field_type(fields_of(EVENTS[type_])[field].type).values)


SOURCE = _by("concern-raised", "source_type")
AGE = _by("concern-raised", "age_band")
SCREENING = _by("concern-screened", "outcome")

POPULATIONS = (
    Population("raised", (SOURCE, AGE), sums=True),
    Population("screened", (AGE, SCREENING, SOURCE), crossed=True, sums=True),
    Population("meetings", (_by("meeting-scheduled", "forum"),)),
    Population("measures", (_by("measure-started", "kind"),)),
    Population("relatives", (_by("relative-support-started", "kind"),)),
    Population("exits"),
    Population("transfers", (_by("transfer-initiated", "kind"),)),
    Population("closed", (_by("case-closed", "outcome"),), sums=True),
    Population("deadlines", (_by("deadline-passed", "deadline"),)),
    Population("corrections", (_by("correction-issued", "reason"),)),
    Population(
        "activities", (_by("prevention-activity-held", "area"), _by("prevention-activity-held", "kind")), sums=True
    ),
)
POPULATION = {population.name: population for population in POPULATIONS}
STRETCHES = ("screening", "meeting", "measure")  # from the first concern to the first of these
