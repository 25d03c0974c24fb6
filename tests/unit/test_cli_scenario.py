import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.scenario_file import Deposit, Line, ScenarioError, Utterance, read_scenario, shifted
from deploy.scenario_player import play_scenario
from tests import wire

NOW = datetime(2027, 1, 20, 23, 30, tzinfo=UTC)  # after midnight in the city, and winter time: the scenario is summer's


def utterance(time: str, **data: Any) -> Utterance:
    return Utterance("buf", {"id": time, "time": time, "data": data})


def test_instants_move_together_and_end_now() -> None:
    first, last = shifted([utterance("2026-03-02T11:00:00Z"), utterance("2026-03-03T11:00:00Z")], NOW)
    assert isinstance(first, Utterance)
    assert isinstance(last, Utterance)
    assert first.event["time"] == "2027-01-19T23:30:00Z"
    assert last.event["time"] == "2027-01-20T23:30:00Z"


def test_a_date_keeps_its_distance_to_the_day_of_its_event_in_the_city() -> None:
    [moved] = shifted([utterance("2026-03-02T11:00:00Z", observed_on="2026-03-02", due="2026-03-09")], NOW)
    assert isinstance(moved, Utterance)
    assert moved.event["data"] == {"observed_on": "2027-01-21", "due": "2027-01-28"}


def test_dates_inside_a_deposit_move_with_the_event_after_it() -> None:
    value = [{"code": "threat", "observed_on": "2026-03-02"}]
    lines: list[Line] = [Deposit("buf", "case", "ref", "signs", value), utterance("2026-03-02T11:00:00Z")]
    moved = shifted(lines, NOW)[0]
    assert isinstance(moved, Deposit)
    assert moved.value == [{"code": "threat", "observed_on": "2027-01-21"}]


def test_an_offset_stays_as_it_was_written() -> None:
    [moved] = shifted([utterance("2026-03-02T11:00:00+01:00", at="2026-03-02T12:00:00+00:00")], NOW)
    assert isinstance(moved, Utterance)
    assert moved.event["time"] == "2027-01-21T00:30:00+01:00"
    assert moved.event["data"]["at"] == "2027-01-21T01:30:00+00:00"


def test_what_only_looks_like_a_date_stays() -> None:
    [moved] = shifted([utterance("2026-03-02T11:00:00Z", due="2026-02-31", kle="15.20.36", n=1)], NOW)
    assert isinstance(moved, Utterance)
    assert moved.event["data"] == {"due": "2026-02-31", "kle": "15.20.36", "n": 1}


def test_the_shifted_scenario_gets_the_same_verdicts() -> None:
    contract = wire.contracts().newest
    moved = shifted(wire.scenario(), NOW)
    assert [step.verdict for step in wire.judged(contract, moved)] == [
        step.verdict for step in wire.judged(contract, wire.scenario())
    ]
    times = [line.time for line in moved if isinstance(line, Utterance) and line.time]
    assert max(times) == NOW


@pytest.mark.parametrize("row", ["{", "[]", '{"deposit": {}}', '{"source": 1}', '{"source": "251248-9996"}'])
def test_a_bad_line_is_named_and_not_repeated(tmp_path: Path, row: str) -> None:
    file = tmp_path / "scenario.jsonl"
    file.write_text("\n" + row + "\n")
    with pytest.raises(ScenarioError, match=r"line 2 is neither") as raised:
        read_scenario(file)
    assert "251248" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read: No such file"), (b"\xff", "is no text in UTF-8"), (b"\n\n", "holds nothing")],
    ids=["missing", "no text", "empty"],
)
def test_a_file_that_is_no_scenario_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "scenario.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ScenarioError, match=words) as raised:
        read_scenario(file)
    assert str(file) in str(raised.value)


class Recorder:
    """A voice that only notes what is said, and when."""

    def __init__(self, party: str, notes: list[tuple[str, str]]) -> None:
        self.party = party
        self.notes = notes

    async def deposit(self, deposit: Deposit) -> None:
        self.notes.append((self.party, deposit.ref))

    async def say(self, event: bytes, id_: str | None = None) -> dict[str, Any]:
        id_ = id_ or json.loads(event)["id"]
        self.notes.append((self.party, id_))
        return {"id": id_, "verdict": "accepted"}


async def test_each_party_speaks_for_itself_in_the_order_of_the_file() -> None:
    notes: list[tuple[str, str]] = []
    lines: list[Line] = [Deposit("ku", "c", "vault:1", "grounds", "x"), utterance("2026-03-02T11:00:00Z")]
    verdicts = [v async for v in play_scenario(lines, lambda party: Recorder(party, notes))]
    assert notes == [("ku", "vault:1"), ("buf", "2026-03-02T11:00:00Z")]
    assert verdicts == [{"id": "2026-03-02T11:00:00Z", "verdict": "accepted"}]


async def test_speed_is_times_real_time_and_never_runs_backwards() -> None:
    lines = [utterance(f"2026-03-02T11:00:0{s}Z") for s in (0, 2, 1)]
    began = asyncio.get_running_loop().time()
    verdicts = [v async for v in play_scenario(lines, lambda party: Recorder(party, []), speed=20)]
    assert len(verdicts) == 3
    assert 0.1 <= asyncio.get_running_loop().time() - began < 1
