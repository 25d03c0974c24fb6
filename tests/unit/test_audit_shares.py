"""An audit by shares is the audit of everything, in how many shares so ever and whatever stands on the topics."""

import os
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consumers.audit.evidence import Stored
from consumers.audit.findings import Report, merged
from consumers.audit.reading import Extent
from consumers.audit.share import EVERYTHING, MOST, Share, shares
from consumers.audit.verification import Kept, Verification
from deploy.cli.audit_shares import fitting
from schemas import topics
from schemas.records import Inbound, Outbound
from tests import wire
from tests.wire import CASES, LEDGER, LOG, VIEWS, Shelf

Change = Callable[[Inbound], Inbound]
Known = Mapping[int, int]  # by partition of the log, how much of it was committed when the audit began
ALL: Known = {}
NUMBERS = (2, 5, 12)


def audit(shelf: Shelf, share: Share = EVERYTHING, known: Known = ALL) -> Report:
    """As the topics are read: what is kept, then the log, and of it what came later."""
    audit = Verification(wire.contracts())
    for prefix, see in ((CASES, audit.see_state), (VIEWS, audit.see_view), (LEDGER, audit.see_receipt)):
        for stored in filter(lambda s: share.takes(s.record), shelf.of(prefix)):
            see(stored)
    so_far = Counter[int]()
    for stored in filter(lambda s: share.takes(s.record), shelf.of(LOG)):
        partition = stored.record.partition
        so_far[partition] += 1
        late = so_far[partition] > known.get(partition, len(shelf.records))
        (audit.see_motion if late else audit.see_log)(stored)
    return audit.report()


def in_shares(shelf: Shelf, number: int, known: Known = ALL) -> Report:
    return merged(audit(shelf, share, known) for share in shares(number))


def with_header(name: str, value: bytes | None) -> Change:
    def change(record: Inbound) -> Inbound:
        others = tuple((known, text) for known, text in record.headers if known != name)
        return replace(record, headers=others if value is None else (*others, (name, value)))

    return change


def elsewhere(record: Inbound) -> Inbound:
    return replace(record, partition=(record.partition + 1) % topics.partitions(record.topic), offset=9_000)


OTHER_CASE = b"41bf18fc-565e-4426-8cff-222e1cda8c0f"
CHANGES: Mapping[str, Change] = {
    "elsewhere": elsewhere,
    "no key": lambda r: replace(r, key=None),
    "key no text": lambda r: replace(r, key=b"\xff"),
    "other key": lambda r: replace(r, key=OTHER_CASE),
    "taken out": lambda r: replace(r, value=None),
    "empty value": lambda r: replace(r, value=b"{}"),
    "value no json": lambda r: replace(r, value=b"\xff{"),
    "value altered": lambda r: replace(r, value=(r.value or b"").replace(b"1", b"2")),
    "no headers": lambda r: replace(r, headers=()),
    "no subject": with_header("ce_subject", None),
    "empty subject": with_header("ce_subject", b""),
    "subject no text": with_header("ce_subject", b"\xff"),
    "subject no case": with_header("ce_subject", b"anything"),
    "other subject": with_header("ce_subject", OTHER_CASE),
    "no source": with_header("ce_source", None),
    "strange source": with_header("ce_source", b"anything"),
    "no subject and no source": lambda r: with_header("ce_subject", None)(with_header("ce_source", None)(r)),
    "other contract": with_header("ce_contract", b"00" * 32),
    "other type": with_header("ce_type", b"dk.samspil.no-such-thing.v1"),
}
TOPICS = (VIEWS, LOG, LEDGER, CASES)


def changed(shelf: Shelf, prefix: str, which: int, change: Change, *, added: bool = False) -> Shelf:
    """The shelf with one record changed; or with the changed one besides, later in its partition."""
    there = shelf.of(prefix)
    victim = there[which % len(there)]
    now = change(victim.record)
    if added:
        now = replace(now, offset=now.offset + 1_000)
    rest = [stored for stored in shelf.records if added or stored is not victim]
    return Shelf([*rest, Stored(now, victim.written_at)])


@pytest.mark.parametrize("number", range(1, MOST + 1))
def test_shares_are_everything_and_nothing_twice(number: int) -> None:
    found = shares(number)
    dealt = Counter(partition for share in found for partition in share.partitions)
    assert dealt == Counter(range(topics.VAULT_PARTITION + 1))
    assert all(any(share.has((LOG, partition)) for partition in range(topics.PARTITIONS)) for share in found)
    assert sum(share.has((LEDGER, topics.VAULT_PARTITION)) for share in found) == 1
    assert all(share.has((topics.views("ku"), 0)) for share in found)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_the_bus_wrote_is_in_order_in_every_share(number: int) -> None:
    report = in_shares(wire.written(), number)
    assert report == audit(wire.written())
    assert report.findings == ()
    parts = [audit(wire.written(), share) for share in shares(number)]
    assert sum(part.log > 0 for part in parts) > 1


@pytest.mark.parametrize("prefix", TOPICS)
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_alike(name: str, prefix: str) -> None:
    shelf = changed(wire.written(), prefix, 7, CHANGES[name])
    whole = audit(shelf)
    for number in NUMBERS:
        assert in_shares(shelf, number) == whole


@pytest.mark.parametrize("prefix", TOPICS)
@pytest.mark.parametrize("name", CHANGES)
def test_each_record_is_of_one_share(name: str, prefix: str) -> None:
    shelf = changed(wire.written(), prefix, 7, CHANGES[name])
    for number in NUMBERS:
        for stored in shelf.records:
            takers = sum(share.takes(stored.record) for share in shares(number))
            taken_out = stored.record.value is None and stored.record.topic.startswith(VIEWS)
            assert takers == (number if taken_out else 1)


@pytest.mark.parametrize(
    "headers", [(), (("ce_subject", b"\xff"),), (("ce_source", b"anything"),), (("ce_subject", b"anything"),)]
)
def test_a_view_that_names_no_case_is_found_once(headers: tuple[tuple[str, bytes], ...]) -> None:
    shelf = wire.written()
    shelf.write(Outbound(topics.views("ku"), 0, b"made up", b"{}", headers))
    for number in (1, *NUMBERS):
        [finding] = in_shares(shelf, number).findings
        assert (finding.what, finding.fault, finding.why) == ("view", "surplus", "no_event")


def test_a_view_taken_out_is_found_once() -> None:
    shelf = changed(wire.written(), VIEWS, 0, lambda r: replace(r, value=None, headers=()))
    for number in (1, *NUMBERS):
        [finding] = in_shares(shelf, number).findings
        assert (finding.what, finding.fault, finding.why) == ("view", "changed", "erased")


def test_what_is_missing_everywhere_is_missed_in_one_order() -> None:
    shelf = Shelf([stored for stored in wire.written().records if not stored.record.topic.startswith(VIEWS)])
    whole = audit(shelf)
    assert len(whole.findings) > 50
    for number in NUMBERS:
        assert in_shares(shelf, number) == whole


def test_a_case_moves_in_its_own_partition_alone() -> None:
    """A late log record in another partition excuses nothing in that of its case."""
    shelf = wire.written()
    record = shelf.of(LOG)[0].record
    away = elsewhere(record)
    shelf.records.append(Stored(away, 0))
    case = (record.key or b"").split(b"/")[1]
    shelf.write(Outbound(topics.views("ku"), 0, b"made up", b"{}", (("ce_subject", case),)))
    shelf.write(Outbound(LEDGER, record.partition, case, b"{}"))
    for number in (1, *NUMBERS):
        report = in_shares(shelf, number, {away.partition: 0})
        found = [finding for finding in report.findings if finding.partition != away.partition]
        assert {(finding.what, finding.why) for finding in found} >= {("view", "no_event"), ("receipt", "no_event")}


def test_vault_reads_are_counted_once() -> None:
    shelf = wire.written()
    shelf.write(Outbound(LEDGER, topics.VAULT_PARTITION, b"k", b"no json"))
    for number in (1, *NUMBERS):
        report = in_shares(shelf, number)
        assert (report.vault_reads, len(report.findings)) == (1, 1)


def test_processes_are_as_many_as_cores_where_there_is_work_for_them() -> None:
    def of(records: int) -> Extent:
        return Extent({(LOG, 0): records}, {(LEDGER, 0): records}, Kept())

    assert [fitting(of(records)) for records in (0, 1, 1_000)] == [1, 1, 1]
    assert fitting(of(10**9)) == min(len(os.sched_getaffinity(0)), topics.PARTITIONS)


changes = st.lists(
    st.tuples(st.sampled_from(TOPICS), st.integers(0, 500), st.sampled_from(sorted(CHANGES)), st.booleans()),
    max_size=6,
)
ends = st.dictionaries(st.integers(0, topics.PARTITIONS - 1), st.integers(0, 6), max_size=4)


@settings(max_examples=40)
@given(changes=changes, known=ends, number=st.integers(2, MOST))
def test_the_number_of_shares_says_nothing(
    changes: list[tuple[str, int, str, bool]], known: Known, number: int
) -> None:
    """Several changes at once, in a bus that goes on meanwhile."""
    shelf = wire.written()
    for prefix, which, name, added in changes:
        shelf = changed(shelf, prefix, which, CHANGES[name], added=added)
    assert in_shares(shelf, number, known) == audit(shelf, EVERYTHING, known)
