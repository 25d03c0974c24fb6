"""A batch: whatever is heard in it and however often, it knows each state as the last event left it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import state, topics
from schemas.case import Case, Chain, Erased, Hold, Said, State, Utterances, hold_key, key_of, saying
from schemas.records import Outbound
from schemas.shown import Shown, written
from streams.batch import Batch
from streams.states import States
from tests.unit.sayings import CASE, OTHER

SINCE = "2026-03-02T11:00:00.000000Z"
KU = written({"ku": Shown(("follow-up-ku",))})
held = st.builds(Hold, st.sampled_from((CASE, OTHER)), st.sampled_from((None, SINCE)))
cases = st.builds(
    lambda case, event, look: saying(Case(case, next=look), event, Said("sof", "follow-up-held", shown_raw=KU)),
    st.sampled_from((CASE, OTHER)),
    st.sampled_from("abc"),
    st.sampled_from((None, SINCE)),
)
spoken = st.builds(lambda ids: Utterances("vink", dict.fromkeys(ids, ())), st.lists(st.sampled_from("abc"), min_size=1))
stubs = st.builds(
    lambda reason: Erased(SINCE, CASE, "e", reason, ("ku",), "00", Chain()), st.sampled_from(("one", "two"))
)
taken = st.lists(st.tuples(held | cases | spoken | stubs, st.sampled_from(("one", "two"))), max_size=8)


def _left(key: str, after: State) -> State:
    """What is to be found of a state: a hold that was released is none."""
    return state.empty(key) if isinstance(after, Hold) and after.since is None else after


@given(taken, taken, st.integers(0, 2))
def test_a_batch_knows_each_state_as_it_was_last_taken(
    before: list[tuple[State, str]], run: list[tuple[State, str]], asked: int
) -> None:
    memory, newest = States(), dict[str, tuple[State, str]]()
    for part in (before, run):
        batch, newest_of = Batch(memory), dict[str, tuple[State, str]]()
        for after, contract in part:
            key = key_of(after)
            batch.take(key, (), after, contract)
            newest_of[key] = (after, contract)
            for _ in range(asked):
                assert batch.state(key) == _left(key, after)
        outcome = batch.outcome()
        assert len(outcome.outputs) == len(newest_of)  # once each
        for record in outcome.outputs:
            assert record.topic == topics.CASES
            after, contract = newest_of[(record.key or b"").decode()]
            kept = _left(key_of(after), after)
            assert record.value == (None if kept is not after else state.encode(after))
            assert dict(record.headers) == {"ce_contract": contract.encode()}
        memory.keep(outcome.states)
        newest |= newest_of
    for key in (CASE, OTHER, "vink", hold_key(CASE), hold_key(OTHER)):
        assert memory.get(key) == (_left(key, newest[key][0]) if key in newest else state.empty(key))
    looked_at = {key for key, (after, _) in newest.items() if isinstance(after, Case) and after.next}
    assert {*memory.due(SINCE, 10)} == looked_at


def test_nothing_is_written_of_a_state_that_cannot_be() -> None:
    batch = Batch(States())
    lone = Case(CASE, owner="\ud800")  # no UTF-8
    with pytest.raises(UnicodeEncodeError):
        batch.take(CASE, [Outbound(topics.LOG, 0, b"key", b"value", ())], lone, "one")
    assert batch.state(CASE) == state.empty(CASE)
    assert not batch.outcome().outputs
