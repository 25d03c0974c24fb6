"""COORDINATE as a pure step: a run of admitted events to everything that follows from it."""

import hashlib
from collections import Counter
from itertools import count
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from schemas import admission, judge, outputs, state, topics
from schemas.case import Case, Said, State
from schemas.check import BUS
from schemas.contract import Contract
from schemas.envelope import Admitted
from schemas.errors import UnknownContractError
from schemas.records import Inbound, Outbound
from streams.admit import admitted_record
from streams.batch import Batch, Outcome
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests import wire
from tests.wire import contracts

CPR = "251248-9996"


def _admitted() -> list[Admitted]:
    """The scenario's accepted events of parties, in order."""
    steps = wire.judged(contracts().newest, wire.scenario())
    return [step.admitted for step in steps if step.admitted is not None and step.admitted.event.party != BUS]


def _first_two_parties() -> tuple[Admitted, Admitted]:
    """The first event of a case, and the first of it by another party: whether that one was shown it, is asked."""
    first, *later = _admitted()
    return first, next(
        one for one in later if one.event.key == first.event.key and one.event.party != first.event.party
    )


def _inbound(record: Outbound, offset: int) -> Inbound:
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)


def _runs(admitted: list[Admitted]) -> dict[int, list[Inbound]]:
    """The events as they stand on the admitted topic: a run per partition."""
    runs: dict[int, list[Inbound]] = {}
    for number, record in zip(count(), map(admitted_record, admitted)):
        runs.setdefault(record.partition, []).append(_inbound(record, number))
    return runs


def _judge(run: list[Inbound], memory: States | None = None, step: Coordinate | None = None) -> Outcome:
    return judged(step or Coordinate(contracts(), lambda: wire.BUS_SALT), run, memory or States())


def test_the_scenario_leads_to_the_bytes_that_the_pure_functions_give() -> None:
    """Log, views and receipts one by one; of the states the newest of each case, once a batch."""
    found = [record for run in _runs(_admitted()).values() for record in _judge(run).outputs]
    expected = wire.everything()
    assert Counter(r for r in found if r.topic != topics.CASES) == Counter(
        r for r in expected if r.topic != topics.CASES
    )
    newest = {r.key: r for r in expected if r.topic == topics.CASES}
    assert Counter(r for r in found if r.topic == topics.CASES) == Counter(newest.values())


def test_one_at_a_time_ends_in_the_same_states() -> None:
    step = Coordinate(contracts(), lambda: wire.BUS_SALT)
    for run in _runs(_admitted()).values():
        memory, kept = States(), {}
        for record in run:
            outcome = judged(step, [record], memory)
            memory.keep(outcome.states)
            kept.update({key: found.encoded for key, found in outcome.states.items()})
        assert kept == {key: found.encoded for key, found in _judge(run).states.items()}


def test_what_is_taken_out_as_it_comes_is_what_the_whole_run_leads_to() -> None:
    step = Coordinate(contracts(), lambda: wire.BUS_SALT)
    for run in _runs(_admitted()).values():
        batch, found = Batch(States()), []
        for record in run:
            step.judge(batch, record)
            found += batch.drain()
        last, whole = batch.outcome(), _judge(run)
        assert (*found, *last.outputs) == whole.outputs
        assert (last.states, last.dead) == (whole.states, whole.dead)


def test_every_record_of_the_partitioned_topics_stays_in_its_partition() -> None:
    """COORDINATE partition p is the only writer of partition p of log, cases and ledger."""
    for partition, run in _runs(_admitted()).items():
        places = {r.partition for r in _judge(run).outputs if r.topic in {topics.LOG, topics.CASES, topics.LEDGER}}
        assert places == {partition}


def test_the_memory_changes_only_when_told() -> None:
    """Until the transaction stands, nothing happened."""
    run = max(_runs(_admitted()).values(), key=len)
    memory = States()
    first = _judge(run, memory)
    assert len(memory) == 0
    assert _judge(run, memory).outputs == first.outputs


def test_an_event_said_again_is_answered_and_changes_nothing() -> None:
    [record] = [_inbound(admitted_record(_admitted()[0]), 0)]
    memory = States()
    memory.keep(_judge([record], memory).states)
    outcome = _judge([record], memory)
    [answer] = outcome.outputs
    assert answer.topic == topics.refusals(_admitted()[0].event.party)
    assert orjson.loads(answer.value or b"")["duplicate"] is True
    assert not outcome.states


def test_an_event_that_cannot_be_judged_leaves_its_case_untouched() -> None:
    events = _admitted()
    case = Counter(admitted.event.key for admitted in events).most_common(1)[0][0]
    mine = [admitted for admitted in events if admitted.event.key == case]
    poison = mine[-1].event.id

    def decide(contract: Contract, before: State, admitted: Admitted) -> judge.Judgement:
        if admitted.event.id == poison:
            raise ZeroDivisionError(CPR)
        return judge.judge(contract, before, admitted)

    run = [_inbound(admitted_record(admitted), n) for n, admitted in enumerate(mine)]
    outcome = _judge(run, step=Coordinate(contracts(), lambda: wire.BUS_SALT, decide=decide))
    without = _judge(run[:-1])
    assert outcome.states == without.states
    answer, letter = (r for r in outcome.outputs if r not in without.outputs)
    assert orjson.loads(answer.value or b"")["reason"] == "internal"
    assert (answer.topic, answer.partition) == (topics.refusals(mine[-1].event.party), 0)
    said = orjson.loads(letter.value or b"")
    assert (said["offset"], said["step"], said["error"]) == (len(mine) - 1, "coordinate", "ZeroDivisionError")
    assert CPR not in repr(outcome)


def test_a_record_that_is_none_of_admits_is_a_dead_letter_and_nobody_is_answered() -> None:
    foreign = Inbound(topics.ADMITTED, 2, 9, b"key", CPR.encode(), (("ce_source", CPR.encode()),))
    outcome = _judge([foreign])
    [letter] = outcome.outputs
    assert letter.topic == topics.DEAD
    assert CPR.encode() not in repr(letter).encode()


def test_a_state_that_cannot_be_read_is_never_judged_on() -> None:
    admitted = _admitted()[0]
    memory = States({admitted.event.key: b"{}"})
    outcome = _judge([_inbound(admitted_record(admitted), 0)], memory)
    assert [dead.error for dead in outcome.dead] == ["StateError"]
    assert not outcome.states


def test_whom_an_event_was_shown_to_is_never_guessed_where_it_cannot_be_read() -> None:
    first, other = _first_two_parties()
    memory = States()
    memory.keep(_judge([_inbound(admitted_record(first), 0)], memory).states)
    kept = state.encode(memory.get(first.event.key)).replace(b'"shown":{', b'"shown":{"a":7,')
    outcome = _judge([_inbound(admitted_record(other), 1)], States({first.event.key: kept}))
    assert [dead.error for dead in outcome.dead] == ["StateError"]
    assert not outcome.states


def test_a_contract_that_this_worker_lacks_ends_it_before_a_good_event_is_refused() -> None:
    admitted = _admitted()[0]
    strange = replace(admitted, seal=replace(admitted.seal, contract="0" * 64))
    with pytest.raises(UnknownContractError):
        _judge([_inbound(admitted_record(strange), 0)])


def test_a_case_too_large_for_its_record_stops_at_itself() -> None:
    """What is always taken, corrections above all, can outgrow any limit on the number of events."""
    mine = _admitted()[:2]
    large = {f"event-{n}": Said("ku", "correction-issued", about="x" * 500) for n in range(10_000)}

    def decide(contract: Contract, before: State, admitted: Admitted) -> judge.Judgement:
        judgement = judge.judge(contract, before, admitted)
        assert isinstance(judgement.state, Case)
        return replace(judgement, state=replace(judgement.state, said=large))

    outcome = _judge(
        [_inbound(admitted_record(mine[0]), 0)], step=Coordinate(contracts(), lambda: wire.BUS_SALT, decide=decide)
    )
    assert [dead.error for dead in outcome.dead] == ["UnstorableError"]
    assert not outcome.states


def test_a_null_header_is_a_dead_letter_like_any_other() -> None:
    broken: Any = (("ce_id", None), ("ce_source", None), ("ce_inboxoffset", None))
    outcome = _judge([Inbound(topics.ADMITTED, 2, 9, b"key", b"{}", broken)])
    assert len(outcome.dead) == 1


def test_a_state_that_is_read_back_is_written_as_it_was() -> None:
    run = max(_runs(_admitted()).values(), key=len)
    kept = _judge(run).states
    restored = States({key: found.encoded or b"" for key, found in kept.items()})
    assert {key: state.encode(restored.get(key)) for key in kept} == {k: f.encoded for k, f in kept.items()}


def test_a_state_that_cannot_be_read_keeps_its_partition_from_nothing() -> None:
    """It is met when an event of its case comes, which is a dead letter then; others are judged."""
    run = max(_runs(_admitted()).values(), key=len)
    broken = next(record.key for record in run if record.key).decode()
    outcome = _judge(run, States({broken: b"no state"}))
    of_others = [record for record in run if record.key != broken.encode()]
    assert outcome.states == _judge(of_others).states
    assert {dead.error for dead in outcome.dead} == {"StateError"}


def test_unseal_is_the_inverse_of_what_admit_writes() -> None:
    for admitted in _admitted():
        assert admission.unseal(_inbound(admitted_record(admitted), 0)) == admitted
        assert outputs.log_record(admitted, ()).key is not None


def test_the_log_takes_the_admitted_bytes_and_these_are_what_would_be_built() -> None:
    for admitted in _admitted():
        record = _inbound(admitted_record(admitted), 0)
        for withheld in ((), ("sof", "buf")):
            taken = outputs.carried_over(record, admitted.event, withheld)
            assert taken == outputs.log_record(admission.unseal(record), withheld)


@pytest.mark.parametrize("header", [("ce_withheld", b"sof"), ("ce_extra", b"x"), ("ce_salt", b"00")])
def test_a_header_that_has_no_place_on_the_admitted_topic_is_a_dead_letter(header: tuple[str, bytes]) -> None:
    record = _inbound(admitted_record(_admitted()[0]), 0)
    outcome = _judge([replace(record, headers=(*record.headers, header))])
    assert [dead.error for dead in outcome.dead] == ["MalformedError"]


def test_every_byte_of_the_first_weeks_is_what_it_was() -> None:
    """The digest is of all that COORDINATE writes for the shipped scenario.

    An auditor derives old logs again: another byte here would say that something else was disclosed.
    """
    seen = hashlib.sha256()
    for records in wire.outputs(wire.judged(contracts().newest, wire.scenario())):
        for record in records:
            seen.update(repr((record.topic, record.partition, record.key, record.value, record.headers)).encode())
    assert seen.hexdigest() == "efdcb2418cf764af6ef0cd10bc9f1a7e41e8f2650380d8af3d6ab4dda757d3cf"
