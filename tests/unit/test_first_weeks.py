"""The scenario of the contract through the pure functions: every verdict, view and receipt as expected."""

from pathlib import Path

import pytest

from schemas.case import State
from schemas.judge import replay
from schemas.state import decode, empty, encode
from schemas.verdicts import Accepted
from tests.unit.scenarios import EXPECTED, ROOT, SCENARIOS, Bus, contract, disclosed, expected, outcome, play, said

NAME = "first-weeks"
SHARED = ROOT.parent / "shared/scenarios"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(SCENARIOS / f"{NAME}.jsonl", f"{NAME}.jsonl"), (EXPECTED / f"{NAME}.expected.jsonl", f"{NAME}.expected.jsonl")],
)
def test_scenario_is_the_one_of_the_contract(ours: Path, theirs: str) -> None:
    # the shared folder lies beside the repository where it is built, not in every clone
    original = SHARED / theirs
    assert not original.exists() or ours.read_bytes() == original.read_bytes()


def test_everything_comes_out_as_expected() -> None:
    heard = play(Bus(contract()), said(NAME))
    wanted = expected(NAME)
    assert len(heard) == len(wanted)
    for one, want in zip(heard, wanted, strict=True):
        assert outcome(one) == want


def test_a_replay_gives_the_same_bytes() -> None:
    bus = Bus(contract())
    judgements = [one.judgement for one in play(bus, said(NAME)) if one.judgement]
    judgements = [judgement for judgement in judgements if judgement.decision]
    states: dict[str, State] = {}
    for admitted, judgement in zip(bus.accepted, judgements, strict=True):
        key = admitted.event.key
        before = decode(encode(states.get(key, empty(key))))
        states[key], decision = replay(bus.contract, before, admitted)
        assert disclosed(decision) == disclosed(judgement.decision)
        assert Accepted(admitted.event.id, decision.withheld) == judgement.verdict
        assert encode(states[key]) == encode(judgement.state)
    assert states.keys() <= bus.states.keys()
