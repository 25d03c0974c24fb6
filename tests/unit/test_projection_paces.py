"""How often each projection reads: a verdict waits for some, and nobody for the others."""

from typing import Any

import pytest

from consumers.binding import Binding
from consumers.case_states import CaseStates
from consumers.news import News
from consumers.overview import Overview
from consumers.statistics.projection import Statistics
from deploy import clients, projector
from deploy.kafka_access import KafkaAccess
from producers.verdicts import VerdictProjection

ACCESS = KafkaAccess("nowhere:1", "projector", "")


def test_what_verdicts_wait_for_is_read_at_the_quick_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []
    monkeypatch.setattr(clients, "consumer", lambda _access, *, pace: made.append(pace))
    nobody: Any = None
    kept = (CaseStates(), Overview(), VerdictProjection((), Binding(nobody, News())), Statistics())
    runners = projector.runners(kept, ACCESS, nobody)
    for runner in runners:
        runner._consumers()
    assert dict(zip([runner.projection.name for runner in runners], made, strict=True)) == {
        "case_states": projector.PACE,
        "overview": projector.EASY_PACE,
        "verdicts": projector.PACE,
        "statistics": projector.EASY_PACE,
    }
    assert projector.PACE < projector.EASY_PACE
