"""A year's release: every count as it is shown, and how long cases waited. One record, the same bytes each time.

Of a stretch the median is told, in whole days, where the cases behind it are 13 or more. That is the fewest that are
rounded to 15: so that a median is there at all says no more of their number than the rounded counts beside it do. The
median of fewer would also be some few cases' own days.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from consumers.statistics.network import Key
from consumers.statistics.protection import BASE, LEAST, Shown
from consumers.statistics.tables import POPULATIONS, STRETCHES
from schemas.canonical import canonical

LEAST_FOR_MEDIAN = 13

Kept = Mapping[str, Mapping[Key, int]]  # population -> the finest counts
Waited = Mapping[str, Mapping[int, int]]  # stretch -> days -> cases


def release(year: int, kept: Kept, waited: Waited) -> bytes:
    """Return a release as it stands on its topic."""
    return canonical(
        {
            "year": year,
            "least": LEAST,
            "base": BASE,
            "populations": [
                {"name": one.name, "counts": [_count(key, number) for key, number in shown.items()]}
                for one, shown in ((one, one.shown(kept.get(one.name, {}))) for one in POPULATIONS)
            ],
            "medians": [{"stretch": name, "days": median(waited.get(name, {}))} for name in STRETCHES],
        }
    )


def _count(key: Key, number: Shown) -> dict[str, Any]:
    return {"by": dict(zip(key[::2], key[1::2], strict=True)), "number": number}


def median(waits: Mapping[int, int]) -> int | None:
    """Return the median of whole days, halves upwards; None where too few cases are behind it."""
    days = sorted(_each(waits))
    if len(days) < LEAST_FOR_MEDIAN:
        return None
    middle = days[(len(days) - 1) // 2], days[len(days) // 2]
    return (sum(middle) + 1) // 2


def _each(waits: Mapping[int, int]) -> Iterable[int]:
    return (day for day, number in waits.items() for _ in range(number))
