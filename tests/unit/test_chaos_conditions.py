"""Two readings of the policy agree in every history: the bus's, and the one that checks a chaos run."""

from collections.abc import Iterator

from hypothesis import given, settings

from schemas import predicates
from schemas.case import Case, State
from schemas.judge import replay
from schemas.outputs import log_record, view_record
from schemas.predicates import MAY_NOT_HOLD
from schemas.records import Inbound, Outbound
from schemas.state import empty
from schemas.views import Decision
from tests.chaos import conditions, disclosure, policy_reading
from tests.chaos.disclosure import Told
from tests.chaos.said import Said, said_of, shown_of
from tests.unit.histories import PARTIES, Step, histories, opened, take
from tests.unit.sayings import ADULT, ONE, Talk
from tests.unit.scenarios import CONTRACT_DIR, contract

POLICY = policy_reading.read(CONTRACT_DIR)


def _read(record: Outbound) -> Inbound:
    return Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers)


def _told(talk: Talk) -> Iterator[tuple[Said, State, Decision]]:
    """Yield what was accepted as the log tells it, the state afterwards, and what left."""
    states: dict[str, State] = {}
    before: list[Said] = []
    for admitted in talk.bus.accepted:
        key = admitted.event.key
        states[key], decision = replay(contract(), states.get(key, empty(key)), admitted)
        said = said_of(_read(log_record(admitted, decision.withheld)), before if admitted.event.case else ())
        yield said, states[key], decision
        if admitted.event.case:
            before.append(said)


@settings(max_examples=300)
@given(histories)
def test_both_readings_agree(history: tuple[str, list[Step]]) -> None:
    talk = opened(history[0])
    for step in history[1]:
        take(talk, step)
    _agree_on(talk)


def test_both_readings_agree_on_what_is_seldom() -> None:
    """A handover because both met, and a consent that was another person's."""
    talk = Talk()
    talk.ok("bolig-nord", "concern-raised", age_band=ADULT)
    talk.ok("ku", "concern-screened", owner="bif")
    talk.ok("ku", "meeting-scheduled", meeting=ONE, forum="ksp", invited=["bif", "vink"])
    talk.ok("ku", "meeting-held", meeting=ONE, attended=["bif", "vink"])
    consent = talk.ok("bif", "consent-recorded", consent=ONE, recipients=["suf"])
    talk.ok("bif", "correction-issued", corrects=consent.id, reason="wrong_subject")
    talk.ok("bif", "measure-started", measure=ONE, provider="suf")
    talk.ok("bif", "transfer-initiated", transfer=ONE, to="vink")
    talk.ok("vink", "transfer-accepted", transfer=ONE)
    _agree_on(talk)


def _agree_on(talk: Talk) -> None:
    told = Told()
    for said, state, decision in _told(talk):
        if isinstance(state, Case):  # the rules of an erased one have no conditions
            _same_conditions(said, state)
        shown = [shown_of(_read(view_record(view))) for view in decision.views]
        for view in shown:
            assert [*disclosure.objections(POLICY, view, said, told)] == []
        for view in shown:
            told.add(view)


def _same_conditions(said: Said, state: Case) -> None:
    for rule in contract().rules_of[said.type]:
        for party in PARTIES:
            failed = predicates.failure(contract(), state, said.id, rule, party)
            if failed != MAY_NOT_HOLD:
                failing = [*conditions.failing(POLICY, POLICY.rules[rule.id], party, said)]
                assert (failed is None) == (not failing), (rule.id, party, failed)
