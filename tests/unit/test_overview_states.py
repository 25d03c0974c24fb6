"""Of a case's state the overview takes who must acknowledge a correction, and a hold: nothing else of it."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from consumers.overview import Seen, seen
from schemas import state, topics
from schemas.case import Case, Chain, Due, Erased, Hold, Said, State, Utterances, hold_key, key_of
from schemas.errors import StateError
from schemas.overview_waits import HOLD, RECALLS
from schemas.recalls import waiting
from schemas.records import Inbound
from schemas.shown import Shown, written
from tests import wire

ID = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
REF = "vault:0d4c2a52-8a29-4b0e-bb0f-9a2c6d9b8f10"
SINCE = "2026-03-02T11:00:00.000000Z"


def correction(party: str, *told: str) -> Said:
    shown = written({to: Shown(("correction",)) for to in told})
    return Said(party, "correction-issued", about="the-event", shown_raw=shown)


def case(acknowledged: Mapping[str, tuple[str, ...]] | None = None, /, **said: Said) -> Case:
    shown = written({"sof": Shown(("x",)), "ku": Shown(())})
    first = Said("buf", "concern-raised", {"person": REF}, "under_15", shown_raw=shown)
    due = (Due("assessment_24h", "first", SINCE),)
    return Case(ID, owner="sof", said={"first": first} | said, acknowledged=acknowledged or {}, due=due, newest=SINCE)


def record(kept: State | bytes | None, key: str | None = None) -> Inbound:
    value = kept if kept is None or isinstance(kept, bytes) else state.encode(kept)
    name = key or (ID if kept is None or isinstance(kept, bytes) else key_of(kept))
    return Inbound(topics.CASES, 0, 5, name.encode(), value, ())


def told(kept: State | bytes | None, key: str | None = None) -> Seen | None:
    return seen(record(kept, key))


def test_who_was_told_and_has_not_acknowledged_waits() -> None:
    found = case({"a": ("politi",)}, a=correction("buf", "ku", "politi", "sof"))
    assert waiting(found) == {"a": ("ku", "sof")}
    assert waiting(replace(found, acknowledged={"a": ("politi", "sof", "ku")})) == {}


def test_of_corrections_that_ku_neither_issued_nor_was_told_of_it_learns_nothing() -> None:
    found = case(others=correction("buf", "politi", "sof"), own=correction("ku", "kff"), known=correction("sof", "ku"))
    assert waiting(found) == {"own": ("kff",), "known": ("ku",)}


def test_parties_by_correction_are_kept_and_nothing_else_of_the_state() -> None:
    found = told(case(a=correction("buf", "ku", "politi"), b=correction("buf", "kff")))
    assert found is not None
    assert orjson.loads(orjson.dumps(found.item.fields)) == {"waiting": {"a": ["ku", "politi"]}}
    assert (found.case, found.item.event, found.item.type, found.key) == (ID, RECALLS, RECALLS, ID)
    assert found.item.time.year == 1970  # not even when


def test_whatever_else_a_state_holds_the_item_is_the_same() -> None:
    """Each part of a case changed in turn: none shows but the corrections and who acknowledged them."""
    plain = case(a=correction("buf", "ku", "politi"))
    changes: dict[str, Any] = {
        "relative": True, "owner": "kff", "closed": True, "due": (), "newest": None, "over": SINCE,
        "erase_from": SINCE, "next": SINCE, "receipts": Chain(9, "00"), "screening": None,
        "meetings": {}, "consents": {}, "measures": {}, "transfers": {},
    }  # fmt: skip
    assert set(changes) == set(Case.__struct_fields__) - {"id", "said", "acknowledged"}
    for name, value in changes.items():
        assert told(replace(plain, **{name: value})) == told(plain), name


@pytest.mark.parametrize(
    "kept",
    [
        case(),
        case({"a": ("ku", "sof")}, a=correction("buf", "ku", "sof")),
        Erased(SINCE, ID, "e", "correction-issued", ("sof", "ku"), "00", Chain()),
        Hold(ID),
        None,
        b"{}",
    ],
)
def test_a_state_without_it_a_stub_and_a_tombstone_show_nothing(kept: State | bytes | None) -> None:
    assert told(kept) is None


def test_what_a_party_says_outside_cases_and_what_has_no_case_for_a_key_show_nothing() -> None:
    assert told(Utterances("ku", {"a": ("sof",)})) is None
    assert told(Hold(ID, SINCE), hold_key("no-case")) is None
    assert seen(Inbound(topics.CASES, 0, 5, b"\xff", b"{}", ())) is None


def test_a_state_that_cannot_be_read_is_no_silence() -> None:
    with pytest.raises(StateError):
        told(b'{"case":"x","said":[["a",{"type":"correction-issued"')


def test_a_hold_shows_since_when_and_nothing_else() -> None:
    found = told(Hold(ID, SINCE))
    assert found is not None
    assert (found.case, found.item.event, found.item.type, found.item.fields) == (ID, HOLD, HOLD, {})
    assert (found.item.time.isoformat(), found.key) == ("2026-03-02T11:00:00+00:00", hold_key(ID))


def test_over_the_scenario_only_cases_with_corrections_are_told_and_only_parties_are_named() -> None:
    parties = set(wire.contracts().newest.parties)
    found = [one for one in (seen(stored.record) for stored in wire.written().of(topics.CASES)) if one]
    assert found
    for one in found:
        assert set(one.item.fields) == {"waiting"}
        assert all(set(names) <= parties for names in one.item.fields["waiting"].values())
