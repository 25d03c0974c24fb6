"""The city's calendar once more, slowly: days counted one by one, an Easter and a summer time of its own.

It shares nothing with schemas/periods.py, which it is held against.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SUNDAY = 6


def easter(year: int) -> date:
    """Gauss, for 1900 to 2099: the Sunday after the full moon of spring."""
    moon = (19 * (year % 19) + 24) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    if moon == 29 and sunday == 6:
        return date(year, 4, 19)
    if moon == 28 and sunday == 6 and year % 19 > 10:
        return date(year, 4, 18)
    return date(year, 3, 22) + (moon + sunday) * DAY


@cache
def closed(year: int) -> frozenset[date]:
    """The public holidays of a year, from 2024 on."""
    moving = (easter(year) + days * DAY for days in (-3, -2, 0, 1, 39, 49, 50))
    return frozenset((date(year, 1, 1), date(year, 12, 25), date(year, 12, 26), *moving))


def working(day: date) -> bool:
    return day.weekday() != SUNDAY and day not in closed(day.year)


@cache
def last_sunday(year: int, month: int) -> datetime:
    day = date(year, month, 31)
    while day.weekday() != SUNDAY:
        day -= DAY
    return datetime.combine(day, time(1), UTC)  # the clocks of Europe change at one in the morning, UTC


def offset(instant: datetime) -> timedelta:
    summer = last_sunday(instant.year, 3) <= instant < last_sunday(instant.year, 10)
    return 2 * HOUR if summer else HOUR


def city_day(instant: datetime) -> date:
    return (instant + offset(instant)).date()


def begins(day: date) -> datetime:
    """The first instant of a day in the city: of the hours around midnight, the first that belongs to it."""
    midnight = datetime.combine(day, time(), UTC)
    return next(at for at in (midnight - hours * HOUR for hours in (3, 2, 1)) if city_day(at) == day)


def slow(start: datetime, length: str) -> datetime:
    """The end of a period, a day at a time."""
    written, unit = length.split(" ", 1)
    number, day = int(written), city_day(start)
    if unit.startswith("hour"):
        return start + number * HOUR
    if unit.startswith("year"):
        number, unit = 12 * number, "months"
    if unit.startswith("month"):
        return begins(months_later(day, number) + DAY)
    counts = working if unit.startswith("working") else lambda _: True
    while number:
        day += DAY
        number -= counts(day)
    return begins(day + DAY)


def months_later(first: date, number: int) -> date:
    day = first
    while number:
        day += DAY
        number -= day.day == 1
    while day.day != min(first.day, monthrange(day.year, day.month)[1]):
        day += DAY
    return day
