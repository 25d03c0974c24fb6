"""What of a population's counts may be shown, so that no count under five can be worked out.

1. Threshold: a count under five, nought included, is hidden. All five values look alike.
2. Rounding: everything shown is rounded to the nearest multiple of five, each number by itself. So sums need not add
   up: that is the price, and it protects, since a rounded total no longer gives the one hidden count away. Rounding is
   plain, not random: two looks at the same count must not tell more than one.
3. Complementary suppression: where totals and shown counts still leave fewer than three values for a hidden count,
   what would give it away is hidden too. That is all of the population, not some more counts: hiding some would tell,
   to one who knows this method, that exactly these were in the way, and with that often the very count (tried on all
   small tables: it does). So either the whole of what 1 and 2 leave is shown, in which nothing can be worked out, or
   nothing is. With a city's numbers the latter is rare: one or two years in a hundred of the smallest tables.

The look is that of the worst attacker, who knows the method and works out exactly what each count can be
(`network.span`), over all tables of the population at once.

Sources: Handbook on Statistical Disclosure Control, second edition 2024 (sdctools.github.io/HandbookSDC): chapter 4
on thresholds, secondary suppression and its audit, chapter 5 on tables of counts, rounding and differencing. That a
refusal must not depend on more than what is shown: Kenthapadi, Mishra, Nissim, Simulatable Auditing, 2005. Danish
practice asks for three persons or more in a group, often five (Danmarks Statistik, Sundhedsdatastyrelsen): the
stricter one is taken. Counted are cases, each once (tables.py), so that five are five persons.
"""

from collections.abc import Mapping

from consumers.statistics.network import Arc, Key, Span, span

LEAST = 5  # the smallest count that is shown
BASE = 5  # what is shown is a multiple of it
VALUES = 3  # as many values must stay possible for a count that is hidden

Shown = int | None  # None: hidden


def rounded(count: int) -> int:
    """Return the nearest multiple of the base."""
    return BASE * ((count + BASE // 2) // BASE)


def alone(count: int) -> Shown:
    """Return what is shown of a count that stands in no sum with others."""
    return None if count < LEAST else rounded(count)


def meant_by(shown: Shown) -> Span:
    """Return what a count can be by itself, of which this is shown."""
    return (0, LEAST - 1) if shown is None else (max(LEAST, shown - BASE // 2), shown + BASE // 2)


def protected(arcs: tuple[Arc, ...], counts: Mapping[Key, int]) -> dict[Key, Shown]:
    """Return what is shown of each count of a population."""
    shown = {key: alone(count) for key, count in counts.items()}
    return dict.fromkeys(shown) if gives_away(arcs, counts, shown) else shown


def gives_away(arcs: tuple[Arc, ...], counts: Mapping[Key, int], shown: Mapping[Key, Shown]) -> bool:
    """Whether some hidden count could be worked out. It depends on what is shown alone."""
    known = {key: meant_by(number) for key, number in shown.items()}
    hidden = (key for key, number in shown.items() if number is None)
    spans = (span(arcs, counts, known, key) for key in hidden)
    return any(most - least + 1 < VALUES for least, most in spans)
