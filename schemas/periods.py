"""When a period of the policy ends: hours, working days, days, months, years, in the city's time.

Hours are elapsed time. Everything longer runs, as Danish administrative practice counts it, to the end of its last
day: the day of the event does not count, and the period is over at the first instant of the day after the last.
So nobody is late before midnight, and the two days a year without 24 hours need no rule of their own.

A working day is Monday to Saturday but public holidays, as policy.yaml says. Public holidays are those of the Danish
Church and New Year's Day: neither 5 June nor 24 and 31 December, which are holidays by custom and agreement.
A month that ends on a day which the last month lacks ends on that month's last day.
"""

import calendar
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import holidays

from schemas.contract import CITY
from schemas.errors import UnknownWordError

_LAST = date(9998, 12, 31)  # what would end later ends here: the calendar stops, and no clock gets there
_DAY = timedelta(days=1)
_HOURS = frozenset({"hour", "hours"})
_SUNDAY = 6
_HOLIDAYS = holidays.country_holidays("DK")


def end_of(start: datetime, length: str) -> datetime:
    """Return when a period that starts then is over, in UTC. Raises UnknownWordError for a length that is none."""
    number, _, unit = length.partition(" ")
    if unit in _HOURS and number.isdecimal():
        return (start + timedelta(hours=int(number))).astimezone(UTC)
    return end_of_day(_last_day(start.astimezone(CITY).date(), length))


@lru_cache(maxsize=1024)
def end_of_day(day: date) -> datetime:
    """Return the first instant after a day in the city, in UTC."""
    return datetime.combine(min(day, _LAST) + _DAY, time(), CITY).astimezone(UTC)


@lru_cache(maxsize=1024)
def _last_day(first: date, length: str) -> date:
    number, _, unit = length.partition(" ")
    reckon = _RECKONED.get(unit if unit.endswith("s") else unit + "s")
    if reckon is None or not number.isdecimal():
        raise UnknownWordError("length of a period")
    return reckon(first, int(number)) if first.year < _LAST.year else _LAST


def _days(first: date, number: int) -> date:
    return first + number * _DAY


def _working_days(first: date, number: int) -> date:
    day = first
    while number:
        day += _DAY
        number -= is_working_day(day)
    return day


def _months(first: date, number: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    if year > _LAST.year:
        return _LAST
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def _years(first: date, number: int) -> date:
    return _months(first, 12 * number)


_RECKONED: Mapping[str, Callable[[date, int], date]] = {
    "days": _days,
    "working days": _working_days,
    "months": _months,
    "years": _years,
}


def is_working_day(day: date) -> bool:
    """Whether a day counts as a working day."""
    return day.weekday() != _SUNDAY and day not in _HOLIDAYS
