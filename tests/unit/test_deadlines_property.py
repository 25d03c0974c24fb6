"""A thousand random histories: what the bus says to be late, and erases, is what a slow calculation comes to.

And it is the same whenever the bus looked: at random ticks, at many, or at none before the next event.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.case import Case, Erased
from tests.unit.partition import Partition
from tests.unit.slow_calendar import DAY, HOUR
from tests.unit.slow_deadlines import STARTS, slow_erased, slow_passed, told

EARLIEST = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
OWNERS = ["sof", "buf", "bif", "vink"]
TAKERS = ["buf", "suf", "bif", "kriminalforsorgen"]
DUE_DAYS = (-3, 0, 1, 2, 20, 20, 60, 60)


class Life:
    """A case that goes its way by chance; most of what is said in it is taken."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 - it draws test data
        self.now = EARLIEST + self.chance.randrange(4 * 365 * 24 * 60) * timedelta(minutes=1)
        self.partition = Partition()

    def live(self, events: int) -> None:
        """Let as many events be said, with ticks in between."""
        self._open()
        for _ in range(events):
            self._wait()
            if not isinstance(self.partition.state, Case):
                return
            self._say(*self._next(self.partition.state))
        self._wait()

    def end(self) -> datetime:
        """Return when somebody looks for the last time."""
        self.now += self.chance.choice([0, 1, 1, 3, 20, 100, 1000]) * DAY
        self.partition.tick(self.now)
        return self.now

    def _open(self) -> None:
        if self.chance.random() < 0.1:
            self.partition.ok(self.now, "vink", "relative-support-started")
        else:
            self._say("buf", "concern-raised", {"age_band": self._age()})

    def _age(self) -> str:
        return self.chance.choice(["15_17", "10_14", "15_17", "18_24"])

    def _wait(self) -> None:
        """Let time pass, and the bus look now and then: also at what was settled a moment ago."""
        gap = self.chance.choice([INSTANT, SECOND, HOUR, 12 * HOUR, DAY, 4 * DAY, 10 * DAY, 30 * DAY, 70 * DAY])
        then = self.now + self.chance.random() * gap + INSTANT
        state = self.partition.state
        if isinstance(state, Case) and state.due and self.chance.random() < 0.4:
            edge = datetime.fromisoformat(self.chance.choice(state.due).at) + self.chance.choice([-1, 0, 1]) * INSTANT
            then = max(then, edge) if edge - self.now < 120 * DAY else then
        for _ in range(self.chance.choice([0, 0, 1, 2])):
            self.partition.tick(
                self.now + self.chance.random() * (then - self.now) - self.chance.choice([0, 15]) * SECOND
            )
        self.now = then

    def _say(self, party: str, type_: str, data: dict[str, Any]) -> None:
        late = self.chance.choice([0, 0, 0, 0, 1, 30, 40 * 24]) * HOUR - self.chance.choice([0, 0, 0, 4]) * 60 * SECOND
        self.partition.say(self.now, party, type_, ce_time=self.now - late, **data)

    def _next(self, case: Case) -> tuple[str, str, dict[str, Any]]:
        found = list(self._possible(case))
        return self.chance.choice(found)

    def _possible(self, case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield what could be said now, the likelier the more often."""
        yield "buf", "concern-raised", {"age_band": self._age()}
        yield "sof", "conversation-held", {}
        yield from self._screening(case)
        yield from self._coordination(case)
        yield from self._answers(case)
        if case.owner is not None:
            yield from self._owners(case, case.owner)
        event, said = self.chance.choice([item for item in case.said.items() if item[1].party != "bus"])
        reasons = ["withdrawn", "wrong_subject", "wrong_fact"]
        yield said.party, "correction-issued", {"corrects": event, "reason": self.chance.choice(reasons)}

    def _screening(self, case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
        outcomes = ["coordinate"] * 8 + ["own_administration"] * 3 + ["advise", "close"]
        screener = case.screening.by if case.screening else self.chance.choice(["sof", "sof", "ku"])
        data = {"outcome": self.chance.choice(outcomes), "owner": case.owner or self.chance.choice(OWNERS)}
        for _ in range(0 if case.relative else 1 if case.screening else 4):
            yield screener, "concern-screened", data

    def _coordination(self, case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
        yield (
            "ku",
            "meeting-scheduled",
            {"meeting": self.partition.fresh(), "forum": "psp", "invited": ["sof", "politi"]},
        )
        for id_, meeting in case.meetings.items():
            if meeting.state == "scheduled":
                yield "ku", "meeting-held", {"meeting": id_, "attended": ["sof"]}
                yield "ku", "meeting-cancelled", {"meeting": id_}

    def _answers(self, case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for id_, said in case.said.items():
            if said.type == "concern-raised":
                yield self.chance.choice(["sof", "ku"]), "notifier-receipted", {"concern": id_}
            if said.type == "rights-request-received":
                yield case.owner or "sof", "rights-request-answered", {"request": id_}
        if case.pending_transfer is not None:
            id_, transfer = case.pending_transfer
            yield transfer.to, "transfer-accepted", {"transfer": id_}
            yield transfer.to, "transfer-declined", {"transfer": id_}
            yield transfer.from_party, "transfer-cancelled", {"transfer": id_}

    def _owners(self, case: Case, owner: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        article = self.chance.choice(["15", "15", "15", "17"])
        kind = self.chance.choice(["school_change", "turning_18"])
        transfer = {"transfer": self._id(case), "to": self.chance.choice(TAKERS), "kind": kind, "due": self._day()}
        yield owner, "measure-started", {"measure": self.partition.fresh()}
        for _ in range(2):
            yield owner, "follow-up-held", {"next_due": self.chance.choice([None, self._day()])}
            yield owner, "transfer-initiated", transfer
            yield owner, "rights-request-received", {"article": article}
        if self.chance.random() < 0.3:
            yield owner, "case-closed", {}

    def _id(self, case: Case) -> str:
        """Return a new id; now and then that of an event, which a publisher may choose."""
        return self.chance.choice([self.partition.fresh()] * 5 + [*case.said])

    def _day(self) -> str:
        return (self.now + self.chance.choice(DUE_DAYS) * DAY).date().isoformat()


def told_again(life: Life, end: datetime, ticks: Random | None) -> Partition:
    """The same records to another worker, which looks at other times, or only when it must."""
    partition, before = Partition(), EARLIEST
    for record in life.partition.records:
        recorded = told(record).recorded
        for _ in range(ticks.choice([0, 1, 3]) if ticks else 0):
            partition.tick(before + (ticks.random() if ticks else 0) * (recorded - before))
        partition.hear(record)
        before = recorded
    partition.tick(end)
    return partition


@settings(max_examples=1000)
@given(st.integers(0, 2**32), st.integers(1, 16))
def test_what_passes_is_what_a_slow_calculation_comes_to(seed: int, events: int) -> None:
    life = Life(seed)
    life.live(events)
    end = life.end()
    history = [told(record) for record in life.partition.taken]
    expected, erased = slow_passed(history, end), slow_erased(history) <= end
    lately, often = (told_again(life, end, ticks) for ticks in (None, Random(seed)))  # noqa: S311 - as above
    for partition in (life.partition, lately, often):
        assert sorted(partition.passed) == expected
        assert isinstance(partition.state, Erased) == erased


def test_every_deadline_passes_in_some_of_them_and_some_cases_end_erased() -> None:
    lives = [Life(seed) for seed in range(100)]
    for life in lives:
        life.live(16)
        life.end()
    passed = {said.deadline for life in lives for said in life.partition.passed}
    assert passed == {name for names in STARTS.values() for name in names}
    assert any(isinstance(life.partition.state, Erased) for life in lives)
