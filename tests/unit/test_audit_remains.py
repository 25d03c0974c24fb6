"""What the auditor says of a bus on which a case was erased: nothing of an honest one, and each flaw of another."""

from collections.abc import Callable

import orjson
import pytest
from msgspec.structs import replace

from consumers.audit.evidence import Stored
from consumers.audit.findings import Report, merged
from consumers.audit.history import stub_of
from consumers.audit.share import EVERYTHING, Share, shares
from consumers.audit.verification import Verification
from schemas import state, topics
from schemas.canonical import canonical
from schemas.case import Case, Erased, Hold
from schemas.judge import replay
from schemas.outputs import erasures, receipt_record, state_record, view_record
from schemas.records import Inbound, Outbound
from schemas.terms import erased
from schemas.vocabulary import instant
from tests import wire
from tests.wire import CASES, LEDGER, LOG, VIEWS, Shelf

CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
NOW = "2027-06-01T00:00:00.000000Z"
HOME = topics.partition_of(CASE.encode())


def erased_bus(*, compacted: bool = False) -> Shelf:
    """The scenario, after which one case is erased as COORDINATE does it; the broker has compacted, or not yet."""
    shelf, contract = wire.written(), wire.contracts().newest
    newest = [s.record.value for s in shelf.of(CASES) if s.record.key == CASE.encode()][-1]
    case = state.decode(newest or b"")
    assert isinstance(case, Case)
    said = wire.sealed(contract, erased(contract, case, "retention", NOW), instant(NOW))
    stub, decision = replay(contract, case, said)
    for record in (
        *erasures(case),
        *map(view_record, decision.views),
        *(receipt_record(said.event, receipt) for receipt in decision.receipts),
        state_record(CASE, state.encode(stub), contract.digest),
    ):
        shelf.write(record)
    if compacted:
        graves = {(s.record.topic, s.record.key) for s in shelf.records if s.record.value is None}
        shelf.records = [s for s in shelf.records if (s.record.topic, s.record.key) not in graves]
    return shelf


def audit(shelf: Shelf, share: Share = EVERYTHING, late: Callable[[Inbound], bool] = lambda _: False) -> Report:
    verification = Verification(wire.contracts())
    for topic, see in (
        (CASES, verification.see_state),
        (VIEWS, verification.see_view),
        (LEDGER, verification.see_receipt),
        (LOG, lambda s: (verification.see_motion if late(s.record) else verification.see_log)(s)),
    ):
        for stored in filter(lambda s: share.takes(s.record), shelf.of(topic)):
            see(stored)
    return verification.report()


def in_all_shares(shelf: Shelf) -> Report:
    """Audit as a whole and by shares, which must say the same."""
    whole = audit(shelf)
    for number in (2, 5, 12):
        assert merged(audit(shelf, share) for share in shares(number)) == whole
    return whole


def kinds(shelf: Shelf) -> set[tuple[str, str, str]]:
    return {(found.what, found.fault, found.why) for found in in_all_shares(shelf).findings}


def without(shelf: Shelf, victim: Callable[[Inbound], bool]) -> Shelf:
    """The shelf without the first record of which that is so."""
    first = next(s for s in shelf.records if victim(s.record))
    return Shelf([s for s in shelf.records if s is not first])


def is_stub(record: Inbound) -> bool:
    return record.topic == CASES and (record.value or b"").startswith(b'{"at"')


def of_case(topic: str) -> Callable[[Inbound], bool]:
    return lambda r: r.topic == topic and CASE.encode() in (r.key or b"")


def farewells(shelf: Shelf) -> list[Stored]:
    return [s for s in shelf.of(VIEWS) if ("ce_type", b"dk.samspil.case-erased.v1") in s.record.headers]


@pytest.mark.parametrize("compacted", [False, True])
def test_an_honest_erasure_leaves_nothing_to_find(*, compacted: bool) -> None:
    shelf = erased_bus(compacted=compacted)
    assert len(farewells(shelf)) > 1
    assert in_all_shares(shelf).findings == ()


def test_a_log_record_kept_though_erased() -> None:
    assert kinds(without(erased_bus(), lambda r: of_case(LOG)(r) and r.value is None)) == {("log", "surplus", "kept")}


def test_a_log_record_that_came_back() -> None:
    shelf = erased_bus()
    record = next(s.record for s in shelf.of(LOG) if of_case(LOG)(s.record))
    shelf.write(Outbound(LOG, HOME, record.key, record.value, record.headers))
    assert kinds(shelf) == {("log", "surplus", "kept")}


def test_a_view_kept_though_erased() -> None:
    shelf = without(erased_bus(), lambda r: r.topic.startswith(VIEWS) and r.value is None)
    assert kinds(shelf) == {("view", "surplus", "kept")}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda _: None, ("missing", "absent")),
        (lambda r: replace(r, value=canonical({**orjson.loads(r.value), "rules": []})), ("changed", "chain")),
    ],
)
def test_a_receipt_taken_away_or_changed(change: Callable[[Inbound], Inbound | None], found: tuple[str, str]) -> None:
    shelf = erased_bus(compacted=True)
    victim = next(s for s in shelf.of(LEDGER) if of_case(LEDGER)(s.record))
    changed = change(victim.record)
    rest = [s for s in shelf.records if s is not victim]
    shelf = Shelf(rest if changed is None else [*rest, Stored(changed, 0)])
    assert kinds(shelf) == {("receipt", *found)}


def test_a_receipt_added() -> None:
    shelf = erased_bus()
    receipt = next(s.record for s in shelf.of(LEDGER) if of_case(LEDGER)(s.record))
    shelf.write(Outbound(LEDGER, HOME, receipt.key, receipt.value))
    assert kinds(shelf) == {("receipt", "surplus", "no_event")}


def test_what_was_told_of_the_erasure_is_what_was_receipted() -> None:
    shelf = erased_bus()
    told = farewells(shelf)[0]
    rest = [s for s in shelf.records if s is not told]
    assert kinds(Shelf(rest)) == {("view", "missing", "absent")}
    other = replace(told.record, value=(told.record.value or b"").replace(b"retention", b"rejected"))
    assert kinds(Shelf([*rest, Stored(other, 0)])) == {("view", "changed", "receipted")}
    shelf.write(Outbound(told.record.topic, 0, told.record.key, None))
    assert kinds(shelf) == {("view", "changed", "erased")}


def test_a_stub_that_names_others_than_were_told() -> None:
    shelf = erased_bus(compacted=True)
    stub = stub_of(shelf.of(CASES), CASE)
    assert isinstance(stub, Erased)
    shelf.write(state_record(CASE, state.encode(replace(stub, recipients=("ku",))), wire.contracts().newest.digest))
    assert kinds(shelf) == {("state", "changed", "recipients")}


def test_the_log_of_a_case_without_a_stub_may_not_be_taken_out() -> None:
    shelf = erased_bus()
    shelf.records = [
        s for s in shelf.records if not (s.record.topic == CASES and (s.record.value or b"").startswith(b'{"at"'))
    ]
    assert {("log", "altered", "erased"), ("view", "changed", "erased")} <= kinds(shelf)


def test_a_case_that_is_erased_meanwhile_is_left_alone() -> None:
    """Its stub is seen already, its tombstones come after the log's end; or they come and the stub does not."""
    shelf = erased_bus()
    shelf.records = [s for s in shelf.records if not (s.record.topic.startswith(VIEWS) and s.record.value is None)]
    late = lambda r: r.value is None  # noqa: E731
    assert audit(shelf, late=late).findings == ()
    shelf = erased_bus()
    shelf.records = [
        s for s in shelf.records if not (s.record.topic == CASES and (s.record.value or b"").startswith(b'{"at"'))
    ]
    assert audit(shelf, late=late).findings == ()


def test_holds_and_sweeps_are_in_order() -> None:
    shelf = erased_bus()
    hold = Hold(CASE, NOW)
    for record in (
        Outbound(CASES, HOME, b"hold/" + CASE.encode(), state.encode(hold)),
        Outbound(CASES, 0, b"sweep", None),
        Outbound(LOG, 0, b"sweep", b""),
        Outbound(LOG, 1, b"sweep", None),
        Outbound(topics.views("ku"), 0, b"sweep", b""),
    ):
        shelf.write(record)
    assert kinds(shelf) == set()
    shelf.write(Outbound(CASES, HOME, b"hold/" + CASE.encode(), None))
    assert kinds(shelf) == set()
    shelf.write(Outbound(LOG, 0, b"sweep", b"something"))
    shelf.write(Outbound(CASES, (HOME + 1) % 12, b"hold/" + CASE.encode(), state.encode(hold)))
    assert kinds(shelf) == {("log", "altered", "unreadable"), ("state", "surplus", "no_event")}


def test_a_stub_in_another_partition_is_none() -> None:
    shelf = erased_bus(compacted=True)
    at = next(s for s in shelf.records if is_stub(s.record))
    rest = [s for s in shelf.records if s is not at]
    away = replace(at.record, partition=(HOME + 1) % 12, offset=900)
    assert ("state", "surplus", "no_event") in kinds(Shelf([*rest, Stored(away, 0)]))
