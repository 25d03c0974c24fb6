"""States as bytes: what is written is read back, in canonical form, without what is empty."""

import orjson
import pytest
import rfc8785
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from schemas.case import Case, Consent, Said, Utterances
from schemas.errors import StateError
from schemas.shown import NOBODY, Shown, written
from schemas.state import decode, empty, encode
from schemas.value import Written
from tests.unit.sayings import CASE, ONE, OTHER, Talk, coordinated, met
from tests.unit.scenarios import Bus, contract, play, said


def test_a_key_tells_a_case_from_a_party() -> None:
    assert empty(CASE) == Case(CASE)
    assert empty("forening-havnen") == Utterances("forening-havnen")


@pytest.mark.parametrize("key", [CASE, "buf"])
def test_an_empty_state_is_nearly_nothing(key: str) -> None:
    assert len(encode(empty(key))) < 60
    assert decode(encode(empty(key))) == empty(key)


def test_every_state_of_the_first_weeks_comes_back() -> None:
    bus = Bus(contract())
    for _ in play(bus, said("first-weeks")):
        for state in bus.states.values():
            raw = encode(state)
            assert decode(raw) == state
            assert encode(decode(raw)) == raw
    assert len(bus.states) > 6


def test_the_order_of_the_log_survives() -> None:
    talk = met()
    talk.ok("ku", "meeting-held", meeting=ONE)
    talk.ok("sof", "consent-recorded", consent=OTHER, scope=["measure", "exit"], recipients=["vink", "ekp"])
    state = decode(encode(talk.state))
    assert isinstance(state, Case)
    assert [*state.said] == [*talk.state.said]


def test_bytes_are_canonical_whatever_the_order_of_sets() -> None:
    one, other = coordinated(), coordinated()
    one.ok("sof", "consent-recorded", consent=ONE, scope=["measure", "exit"], recipients=["vink", "ekp"])
    other.ok("sof", "consent-recorded", consent=ONE, scope=["exit", "measure"], recipients=["ekp", "vink"])
    # the receipts are of views that name recipients and scopes in the order in which each was said
    assert encode(replace(one.state, receipts=None)) == encode(replace(other.state, receipts=None))


def test_nothing_empty_is_written() -> None:
    value = orjson.loads(encode(coordinated().state))
    assert {"relative", "closed", "meetings", "consents", "measures", "transfers"}.isdisjoint(value)
    assert all(part for _, event in value["said"] for part in event.values())


def test_a_case_of_twenty_events_stays_small() -> None:
    talk = met()
    while len(talk.state.said) < 20:
        talk.ok("sof", "follow-up-held")
    assert len(encode(talk.state)) < 4_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"v":3,"case":"x"}',
        b'{"v":2}',
        b'{"v":2,"case":"x","said":[1]}',
        b'{"v":2,"case":',
    ],
)
def test_what_cannot_be_read_whole_is_refused_without_saying_what_it_was(raw: bytes) -> None:
    with pytest.raises(StateError) as refused:
        decode(raw)
    assert "x" not in refused.value.detail


def test_a_thousand_utterances_are_kept_in_order() -> None:
    talk = Talk()
    talk.ok("vink", "prevention-activity-held")
    state = decode(encode(talk.bus.states["vink"]))
    assert state == talk.bus.states["vink"]


def test_bytes_are_rfc_8785_whatever_the_words() -> None:
    """The structs' own encoder against an independent one; no value of a state is checked to be ASCII."""
    odd = 'ø"\\\x01\x1f\x7f\u2028😀'
    told = written({odd: Shown((odd,), {odd: (odd,)})})
    spoken = Said(odd, odd, {odd: odd}, odd, odd, odd, {odd: 3, "a": 1}, told, (odd,))
    case = Case(
        odd, owner=odd, said={odd: spoken}, consents={odd: Consent(frozenset({odd, "b", "a"}), frozenset(), odd)}
    )
    for state in (case, Utterances(odd, {odd: (odd,)}), *_first_weeks().states.values()):
        raw = encode(state)
        assert raw == rfc8785.dumps(orjson.loads(raw))


def _first_weeks() -> Bus:
    bus = Bus(contract())
    play(bus, said("first-weeks"))
    return bus


def test_what_is_left_out_of_a_state_is_empty() -> None:
    """Any other default would be left out by identity: the bytes would depend on where the value came from."""
    parts = Written.__subclasses__()
    assert len(parts) > 5
    for part in parts:
        for field in fields(part):
            filled = field.default if field.default is not NODEFAULT else field.default_factory
            empty = filled is NOBODY or filled in {NODEFAULT, None, False, (), dict, list}
            assert empty, (part, field.name)
    assert written({}) is NOBODY


def test_whom_an_event_was_shown_to_is_refused_where_it_cannot_be_read() -> None:
    for raw in (b'{"ku":"x"}', b'{"ku":{"rules":["x\xff"]}}'):
        case = decode(b'{"v":2,"case":"x","said":[["a",{"party":"sof","type":"follow-up-held","shown":%b}]]}' % raw)
        assert isinstance(case, Case)
        with pytest.raises(StateError) as refused:
            assert case.said["a"].shown
        assert "x" not in refused.value.detail
