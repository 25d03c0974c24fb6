"""A run's report as a table for people."""

from collections.abc import Iterator

from tests.chaos.findings import Flaw
from tests.chaos.journal import INTERNAL_ERROR, QUEUE_FULL
from tests.chaos.run import Report

_SHOWN = 20


def table(report: Report) -> str:
    """Return the table, and the first findings where there are any."""
    return "\n".join(f"  {name:<28}{value}" for name, value in _rows(report)) + "".join(
        f"\n  {finding.flaw}: {finding.where}" for finding in report.result.findings[:_SHOWN]
    )


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    counts, tally, result = report.result.counts, report.tally, report.result
    yield "seed", str(report.seed)
    yield "brokers", str(report.brokers)
    yield "seconds", f"{report.seconds:.0f}"
    yield "acknowledged", f"{counts.acknowledged:,}"
    yield "events in the log", f"{counts.events:,} in {counts.cases:,} cases"
    yield "refused", f"{counts.refused:,}"
    yield "answered as duplicates", f"{counts.duplicates:,}"
    yield "views, receipts", f"{counts.views:,}, {counts.receipts:,}"
    yield "kills", f"{tally.kills} ({tally.kills_meanwhile} while another fault lasted)"
    yield "zombies", f"{tally.zombies} ({tally.zombies_ended} ended by themselves)"
    yield "rebalances", f"{report.claims.rebalances} ({report.claims.claims:,} claims)"
    yield "workers 1 -> 3 -> 2", f"{tally.scalings} changes"
    yield "broker killed, frozen", f"{tally.broker_restarts}, {tally.broker_pauses}"
    for what, times in report.led.items():
        yield "  that led", f"{what}: {times}"
    yield "PostgreSQL stopped", str(tally.postgres_stops)
    yield "producer queue full", str(report.notes[QUEUE_FULL])
    yield "HTTP answers of 500", str(report.notes[INTERNAL_ERROR])
    yield "processes that gave up", f"{report.ended_alone} (and were started again)"
    for flaw in Flaw:
        yield str(flaw), str(result.by_flaw[flaw])
    yield "longest wait for a verdict", "{:.1f} s ({})".format(*report.longest_wait)
    for kind, seconds in sorted(report.stalls.items(), key=lambda stall: -stall[1]):
        yield "longest stall", f"{seconds:.1f} s ({kind or 'no fault'})"
