"""The benchmark's arithmetic, and what it prints."""

import pytest

from deploy.bench import benchmark, goals
from deploy.bench.figures import Figure, Series, percentile, rate, rate_since
from deploy.bench.report import Report, number
from deploy.bench.scale import QUICK
from schemas.errors import MisconfiguredError


def figure(key: str, *runs: float) -> Figure:
    return Figure(key, f"what {key} is", "events/s", runs)


def test_a_rate_counts_from_one_instant_to_the_last() -> None:
    assert rate([0, 0, 1_000, 2_000, 2_000], skip=0) == 1.5  # three records in two seconds after the first instant
    assert rate([0, 0, 1_000, 2_000, 2_000], skip=2) == 2.0


@pytest.mark.parametrize("stamps", [[5, 5, 5], []])
def test_a_rate_of_what_was_written_at_once_or_not_at_all_is_none(stamps: list[int]) -> None:
    with pytest.raises(MisconfiguredError, match="--events"):
        rate(stamps, skip=0)


def test_a_percentile_is_a_sample() -> None:
    samples = [float(one) for one in range(1, 101)]
    assert [percentile(samples, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([3.0], 0.99) == 3.0


def test_runs_are_told_by_median_and_spread() -> None:
    series = Series("a", "COORDINATE")
    for value in (90.0, 100.0, 300.0):
        series.add(value, records=7)
    found = series.figure()
    assert (found.median, found.spread) == (100.0, 2.1)
    assert found.body()["runs"] == [90.0, 100.0, 300.0]
    assert found.body()["details"] == [{"records": 7}] * 3


def test_each_goal_is_held_against_each_figure_beside_it() -> None:
    measured = [
        figure("a", 1_000),
        figure("c.transactional", 5_000),
        figure("c.plain", 50_000),
        figure("d.at_least_once", 100),
        figure("d.exactly_once", 90),
        figure("e.other", 501),
        figure("f", 300),
        figure("f.raw", 1_000),
        figure("f.raw.2", 2_000),
        figure("i.any.1000", 120),
        figure("i.any.100000", 100),
        figure("i.any.1000000", 99),
        figure("i.same.1000", 90),
        figure("i.same.100000", 100),
        figure("h.kafka.50.verdict.p99", 251),
    ]
    told = [(reached.beside, round(reached.measured, 2), reached.met) for reached in goals.reached(measured)]
    assert told == [
        ("what d.at_least_once is", 10.0, True),
        ("what d.exactly_once is", 11.11, True),
        ("what e.other is", 2.0, False),
        ("what c.transactional is", 0.2, False),
        ("what f.raw is", 0.3, True),
        ("what i.any.100000 is", 1.2, True),
        ("what i.any.1000000 is", 1.21, False),
        ("what i.same.100000 is", 0.9, True),
        ("what h.kafka.50.verdict.p99 is", 251, False),
    ]


def test_a_goal_without_its_figures_is_not_told() -> None:
    assert goals.reached([figure("c.plain", 1), figure("f.raw", 1), figure("i.any.1000", 1)]) == []


def test_a_report_is_rows_for_people_and_everything_for_programs() -> None:
    measured = [figure("a", 2_000, 2_200, 1_900), figure("d.at_least_once", 500)]
    report = Report(measured, goals.reached(measured), {"events": 5}, {"cores": 2}, ["(e) was not measured."])
    assert report.figure_rows() == [
        ("(a)", "what a is", "2,000", "events/s", "15%", "3"),
        ("(d)", "what d.at_least_once is", "500", "events/s", "-", "1"),
    ]
    assert report.goal_rows() == [
        ("COORDINATE / idiomatic Faust", "what d.at_least_once is", "4", ">= 10 x", "NOT MET")
    ]
    body = report.body()
    assert body["figures"][0]["runs"] == [2_000, 2_200, 1_900]
    assert body["unmeasured"] == ["(e) was not measured."]


def test_figures_are_printed_with_the_digits_that_mean_something() -> None:
    assert [number(value) for value in (12_345.6, 101.4, 9.876, 0.12345)] == ["12,346", "101", "9.88", "0.123"]


def test_letters_choose_what_is_measured() -> None:
    wishes = benchmark.wished("a, C,d", QUICK, 2, None, 1)
    assert wishes.only == {"a", "c", "d"}
    assert (wishes.scale.runs, wishes.scale.events) == (2, QUICK.events)
    assert benchmark.wished(None, QUICK, None, 5_000, 1).only == set("abcdefghi")


@pytest.mark.parametrize("only", ["x", "a,z", ","])
def test_another_letter_is_refused(only: str) -> None:
    with pytest.raises(MisconfiguredError, match="--only"):
        benchmark.wished(only, QUICK, None, None, 1)


def test_a_rate_since_a_moment_counts_all_that_came_after_it() -> None:
    assert rate_since([1_500, 2_000, 3_000], began=1_000) == 1.5
    for nothing in ([], [1_000]):
        with pytest.raises(MisconfiguredError):
            rate_since(nothing, began=1_000)
