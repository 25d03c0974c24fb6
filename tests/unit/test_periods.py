"""When a period ends: against a slow calculation of its own, day by day (slow_calendar.py).

Public holidays in Denmark are those of the Danish Church and New Year's Day. Grundlovsdag (5 June) and 24 and 31
December are holidays by custom and agreement, so a deadline runs on them. Store bededag is none since 2024.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import contract_files
from schemas.errors import UnknownWordError
from schemas.periods import end_of, end_of_day, is_working_day
from tests import wire
from tests.unit.slow_calendar import DAY, SUNDAY, begins, closed, slow, working

# A replay of the log must come to the same instants: a library that changes its mind about these fails here.
HOLIDAYS = {
    2025: "01-01 04-17 04-18 04-20 04-21 05-29 06-08 06-09 12-25 12-26",
    2026: "01-01 04-02 04-03 04-05 04-06 05-14 05-24 05-25 12-25 12-26",
    2027: "01-01 03-25 03-26 03-28 03-29 05-06 05-16 05-17 12-25 12-26",
    2028: "01-01 04-13 04-14 04-16 04-17 05-25 06-04 06-05 12-25 12-26",
    2029: "01-01 03-29 03-30 04-01 04-02 05-10 05-20 05-21 12-25 12-26",
    2030: "01-01 04-18 04-19 04-21 04-22 05-30 06-09 06-10 12-25 12-26",
    2031: "01-01 04-10 04-11 04-13 04-14 05-22 06-01 06-02 12-25 12-26",
    2032: "01-01 03-25 03-26 03-28 03-29 05-06 05-16 05-17 12-25 12-26",
    2033: "01-01 04-14 04-15 04-17 04-18 05-26 06-05 06-06 12-25 12-26",
    2034: "01-01 04-06 04-07 04-09 04-10 05-18 05-28 05-29 12-25 12-26",
    2035: "01-01 03-22 03-23 03-25 03-26 05-03 05-13 05-14 12-25 12-26",
    2036: "01-01 04-10 04-11 04-13 04-14 05-22 06-01 06-02 12-25 12-26",
}
LENGTHS = [
    "24 hours", "1 hour", "72 hours", "1 day", "14 days", "30 days", "400 days", "1 working day", "6 working days",
    "30 working days", "1 month", "3 months", "6 months", "11 months", "24 months", "1 year", "5 years",
]  # fmt: skip
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2050, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis asks for naive bounds


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@given(INSTANTS, st.sampled_from(LENGTHS))
@example(utc("2026-03-28T23:30:00Z"), "1 day")  # already the day of the change
@example(utc("2026-10-24T22:30:00Z"), "1 day")
@example(utc("2028-02-29T12:00:00Z"), "1 year")
def test_a_period_ends_where_counting_day_by_day_comes_to(start: datetime, length: str) -> None:
    end = end_of(start, length)
    assert (end, end.utcoffset()) == (slow(start, length), timedelta(0))


@given(INSTANTS, st.sampled_from(LENGTHS), st.integers(-12, 14))
def test_the_zone_in_which_the_start_is_written_does_not_matter(start: datetime, length: str, zone: int) -> None:
    elsewhere = start.astimezone(datetime.strptime(f"{zone:+03d}00", "%z").tzinfo)
    assert end_of(elsewhere, length) == end_of(start, length)


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)), st.sampled_from(LENGTHS))
def test_what_starts_later_never_ends_earlier(start: datetime, later: timedelta, length: str) -> None:
    assert end_of(start, length) <= end_of(start + later, length)


@given(st.dates(date(2024, 1, 1), date(2050, 12, 31)))
def test_a_day_is_over_at_the_first_instant_of_the_next(day: date) -> None:
    assert end_of_day(day) == begins(day + DAY)
    assert is_working_day(day) == working(day)


@pytest.mark.parametrize("year", HOLIDAYS)
def test_public_holidays_are_those_of_the_law(year: int) -> None:
    table = {date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year].split()}
    days = [date(year, 1, 1) + number * DAY for number in range(365 + (monthrange(year, 2)[1] == 29))]
    assert {day for day in days if not is_working_day(day)} == table | {d for d in days if d.weekday() == SUNDAY}
    assert table == closed(year)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2023-05-05", False),  # the last Store bededag
        ("2024-04-26", True),  # and where the next would have been
        ("2026-06-05", True),  # Grundlovsdag
        ("2026-12-24", True),
        ("2026-12-31", True),
        ("2026-03-07", True),  # a Saturday
        ("2026-03-08", False),
    ],
)
def test_custom_is_no_law(day: str, *, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        # Hours are elapsed time; a day is over at midnight, however long it was. Clocks change 29 March and 25 October.
        ("2026-03-28T12:00:00+01:00", "24 hours", "2026-03-29T13:00:00+02:00"),
        ("2026-03-28T12:00:00+01:00", "1 day", "2026-03-30T00:00:00+02:00"),
        ("2026-03-27T23:59:59+01:00", "1 day", "2026-03-29T00:00:00+01:00"),
        ("2026-10-24T12:00:00+02:00", "24 hours", "2026-10-25T11:00:00+01:00"),
        ("2026-10-24T12:00:00+02:00", "1 day", "2026-10-26T00:00:00+01:00"),
        ("2026-10-25T02:30:00+02:00", "1 hour", "2026-10-25T02:30:00+01:00"),
        # Months end on the last day of a shorter one.
        ("2026-01-31T09:00:00+01:00", "1 month", "2026-03-01T00:00:00+01:00"),
        ("2028-01-31T09:00:00+01:00", "1 month", "2028-03-01T00:00:00+01:00"),
        ("2026-11-30T09:00:00+01:00", "3 months", "2027-03-01T00:00:00+01:00"),
        ("2026-08-31T09:00:00+02:00", "6 months", "2027-03-01T00:00:00+01:00"),
        ("2024-02-29T09:00:00+01:00", "24 months", "2026-03-01T00:00:00+01:00"),
        ("2024-02-29T09:00:00+01:00", "5 years", "2029-03-01T00:00:00+01:00"),
        # Six working days: Saturdays count, Easter does not (Thursday 2, Friday 3, Sunday 5, Monday 6 April 2026).
        ("2026-03-31T10:00:00+02:00", "6 working days", "2026-04-11T00:00:00+02:00"),
        ("2026-12-23T10:00:00+01:00", "6 working days", "2027-01-03T00:00:00+01:00"),
        # The day is the city's: late in the evening in UTC it is tomorrow there.
        ("2026-06-30T22:30:00+00:00", "1 month", "2026-08-02T00:00:00+02:00"),
    ],
)
def test_known_ends(start: str, length: str, end: str) -> None:
    assert end_of(utc(start), length) == utc(end)


def test_a_start_at_the_end_of_all_time_does_not_fail() -> None:
    last = datetime(9998, 12, 31, 22, tzinfo=UTC)
    for length in ("14 days", "6 working days", "24 months", "5 years"):
        assert end_of(last, length) >= last


@pytest.mark.parametrize(
    "length", ["", "soon", "6", "6 fortnights", "six days", "-1 days", "1.5 days", "soon hours", "-1 hours", " days"]
)
def test_a_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(UnknownWordError):
        end_of(utc("2026-03-02T11:00:00Z"), length)


def test_every_length_of_every_contract_is_one() -> None:
    lengths = {
        rule.length
        for contract in contract_files.load_all(wire.POLICIES).all
        for rule in contract.deadline.values()
        if rule.length
    }
    assert "24 hours" in lengths
    start = utc("2026-03-02T11:00:00Z")
    assert all(end_of(start, length) == slow(start, length) for length in lengths)
