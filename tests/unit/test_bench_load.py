"""The benchmark's load: the same for the same seed, of every type, nearly all of it taken, never said twice."""

from collections import Counter
from itertools import islice, pairwise

import pytest
from msgspec.structs import replace

from deploy.bench.cases import Cases
from deploy.bench.load import LEAST_ACCEPTED, Load, Said
from schemas import topics
from schemas.admission import admit, unseal
from schemas.case import Case, State
from schemas.check import BUS
from schemas.contract import Contracts
from schemas.envelope import Admitted, Seal, source_of
from schemas.judge import judge
from schemas.records import Inbound, Outbound
from schemas.state import decode, empty
from schemas.verdicts import Accepted
from schemas.vocabulary import instant
from streams.admit import admitted_record
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests.unit.scenarios import contract

EVENTS = 3_000


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(contract(), at_once=8)


@pytest.fixture(scope="module")
def admitted(load: Load) -> list[tuple[Said, Outbound]]:
    return list(islice(load.admitted(), EVENTS))


def _inbound(record: Outbound, offset: int = 0) -> Inbound:
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)


def test_a_seed_gives_the_same_events_and_another_seed_others(admitted: list[tuple[Said, Outbound]]) -> None:
    assert list(islice(Load(contract(), at_once=8).admitted(), EVENTS)) == admitted
    other = {record.key for _, record in islice(Load(contract(), seed=2, at_once=8).admitted(), EVENTS)}
    cases = {record.key for said, record in admitted if said.case}
    assert not cases & other


def test_every_type_of_the_catalogue_is_said_and_taken(admitted: list[tuple[Said, Outbound]]) -> None:
    assert {said.type for said, _ in admitted if said.accepted} == set(contract().types)


def test_what_is_said_to_be_taken_is_taken_and_nothing_else(load: Load, admitted: list[tuple[Said, Outbound]]) -> None:
    step, memory = Coordinate(Contracts([contract()]), lambda: "00" * 16), States()
    outputs: Counter[str] = Counter()
    for offset, (_, record) in enumerate(admitted):
        outcome = judged(step, [_inbound(record, offset)], memory)
        memory.keep(outcome.states)
        assert not outcome.dead
        outputs.update(_source(output) for output in outcome.outputs if output.topic == topics.LOG and output.value)
    accepted = sum(said.accepted for said, _ in admitted)
    assert sum(number for source, number in outputs.items() if source != source_of(BUS)) == sum(
        said.accepted and said.party != BUS for said, _ in admitted
    )
    assert accepted / EVENTS > LEAST_ACCEPTED - 0.01
    assert load.accepted_share >= LEAST_ACCEPTED


def test_neighbours_are_of_different_cases(admitted: list[tuple[Said, Outbound]]) -> None:
    assert not [one for one, other in pairwise(admitted) if one[0].case and one[1].key == other[1].key]


def test_records_stand_where_their_case_lives(admitted: list[tuple[Said, Outbound]]) -> None:
    assert all(record.partition == topics.partition_of(record.key or b"") for _, record in admitted)
    assert len({record.partition for _, record in admitted}) == topics.PARTITIONS


def test_what_is_submitted_is_admitted_as_the_load_has_it(load: Load, admitted: list[tuple[Said, Outbound]]) -> None:
    by_id = {unseal(_inbound(record)).event.id: record for _, record in admitted}
    compared = 0
    for said, record in islice(load.submitted(), 1_000):
        moment = instant(dict(record.headers)["ce_time"].decode())
        event = admit(contract(), said.party, record.headers, record.value, moment)
        due = by_id[event.id or ""]
        seal = unseal(_inbound(due)).seal
        mine = admitted_record(Admitted(event, seal))  # type: ignore[arg-type]  # a refusal has no key, and fails here
        assert mine == due
        compared += 1
    assert compared == 1_000


def test_deposits_are_what_the_event_refers_to(load: Load) -> None:
    for said in load.said:
        text = (said.submitted.value or b"").decode() if said.submitted else ""
        assert all(deposit.ref in text for deposit in said.deposits)
        assert all((deposit.party, deposit.case) == (said.party, said.case) for deposit in said.deposits)
    assert sum(len(said.deposits) for said in load.said) > 50


def test_cases_take_their_events_in_any_order() -> None:
    cases = Cases(contract(), more=3)
    states = {record.key: decode(record.value or b"") for record in cases.states(50)}
    assert len(states) == 50
    types = set()
    for record in cases.events(400, range(50), seed=7):
        event = unseal(_inbound(record))
        judgement = judge(contract(), states[record.key], event)
        assert isinstance(judgement.verdict, Accepted)
        assert not judgement.verdict.duplicate
        states[record.key] = judgement.state
        types.add(event.event.type)
    assert len(types) >= 5


def test_opened_cases_are_the_cases_of_the_states() -> None:
    cases = Cases(contract())
    states = {record.key: record.value for record in cases.states(2)}
    opened = {key: empty((key or b"").decode()) for key in states}
    for stage in cases.opening(2):
        for record, _ in stage:
            headers = dict(record.headers)
            event = admit(
                contract(),
                topics.party_of(record.topic),
                record.headers,
                record.value,
                instant(headers["ce_time"].decode()),
            )
            sealed = admitted_record(Admitted(event, Seal("2026-12-01T00:00:00Z", "00" * 16, contract().digest)))  # type: ignore[arg-type]  # as above
            opened[record.key] = judge(contract(), opened[record.key], unseal(_inbound(sealed))).state
    assert opened.keys() == states.keys()
    for key, value in states.items():
        assert _lasting(opened[key]) == _lasting(decode(value or b""))


def _lasting(state: State) -> State:
    """Return a case without what follows from when it was judged, and from the ids that its receipts repeat."""
    assert isinstance(state, Case)
    return replace(state, due=(), newest=None, next=None, receipts=None)


def _source(record: Outbound) -> str:
    return dict(record.headers)["ce_source"].decode()
