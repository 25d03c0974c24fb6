"""The proof under failure in its short form: every kind of fault once, on a bus of its own, under load."""

from functools import partial
from pathlib import Path

from tests import brokers
from tests.chaos import report
from tests.chaos.broker import SingleBroker
from tests.chaos.findings import Flaw
from tests.chaos.journal import INTERNAL_ERROR, QUEUE_FULL
from tests.chaos.plan import Shape
from tests.chaos.run import run

SHORT = Shape(kills=6, postgres_seconds=2.0)
SEED = 246  # of those whose faults last briefly


def test_nothing_is_lost_doubled_reordered_or_wrongly_disclosed_under_failure(tmp_path: Path) -> None:
    said: list[str] = []
    done = run(tmp_path / "home", SEED, SHORT, said.append, partial(SingleBroker, settings=brokers.DEAD_SOON))
    shown = "\n".join([*said, report.table(done)])
    assert {flaw: done.result.by_flaw[flaw] for flaw in Flaw} == dict.fromkeys(Flaw, 0), shown
    tally, counts = done.tally, done.result.counts
    assert (tally.kills >= SHORT.kills, tally.kills_meanwhile > 0) == (True, True), shown
    assert (tally.zombies, tally.scalings, tally.postgres_stops, tally.broker_pauses) == (2, 2, 1, 1), shown
    assert tally.broker_restarts == 1, shown
    assert done.notes[QUEUE_FULL] > 0, shown
    assert done.notes[INTERNAL_ERROR] == 0, shown
    assert min(counts.events, counts.refused, counts.duplicates, counts.views) > 0, shown
    assert counts.acknowledged <= counts.events + counts.refused + counts.duplicates, shown
