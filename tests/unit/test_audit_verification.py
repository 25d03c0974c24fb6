"""What the auditor finds: each kind of change planted in what the scenario wrote, one at a time."""

from collections.abc import Callable

import orjson
import pytest
from msgspec.structs import replace

from consumers.audit.evidence import Stored
from consumers.audit.findings import REASONS, Report
from consumers.audit.verification import Kept, Verification
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Inbound, Outbound
from tests import wire
from tests.wire import CASES, LEDGER, LOG, VIEWS, Shelf

Tamper = Callable[[Inbound], Inbound | None]


def audit(shelf: Shelf, kept: Kept = Kept()) -> Report:  # noqa: B008 - frozen
    """Audit what the shelf holds, in the auditor's order."""
    verification = Verification(wire.contracts(), kept)
    for take, topic in (
        (verification.see_state, CASES),
        (verification.see_view, VIEWS),
        (verification.see_receipt, LEDGER),
        (verification.see_log, LOG),
    ):
        for stored in shelf.of(topic):
            take(stored)
    return verification.report()


def tampered(prefix: str, which: int, change: Tamper) -> Shelf:
    """The scenario's records with one of them changed, or taken away."""
    shelf = wire.written()
    victim = shelf.of(prefix)[which]
    changed = change(victim.record)
    rest = [stored for stored in shelf.records if stored is not victim]
    return Shelf(rest if changed is None else [*rest, Stored(changed, victim.written_at)])


def kinds(report: Report) -> set[tuple[str, str, str]]:
    return {(finding.what, finding.fault, finding.why) for finding in report.findings}


def with_field(record: Inbound, **fields: object) -> Inbound:
    body = orjson.loads(record.value or b"")
    return replace(record, value=canonical({**body, **fields}))


def test_what_the_bus_wrote_is_found_in_order() -> None:
    report = audit(wire.written())
    assert report.findings == ()
    assert report.log > 80
    assert report.views > 80
    assert report.receipts >= report.views
    assert report.states > 5


def test_a_changed_view() -> None:
    report = audit(tampered(VIEWS, 3, lambda view: with_field(view, fields={"tier_1_signs": 9})))
    assert kinds(report) == {("view", "changed", "derived")}
    assert report.findings[0].offset is not None


def test_a_view_with_another_header() -> None:
    def later(view: Inbound) -> Inbound:
        headers = tuple((n, b"2030-01-01T00:00:00Z" if n == "ce_time" else v) for n, v in view.headers)
        return replace(view, headers=headers)

    assert kinds(audit(tampered(VIEWS, 0, later))) == {("view", "changed", "derived")}


def test_a_missing_view_is_missed_while_it_must_be_kept() -> None:
    shelf = tampered(VIEWS, 0, lambda _: None)
    assert kinds(audit(shelf)) == {("view", "missing", "absent")}
    assert audit(shelf, Kept(views_since=1)).findings == ()


def test_a_view_too_many() -> None:
    shelf = wire.written()
    view = shelf.of(VIEWS)[0].record
    shelf.write(Outbound(topics.views("pet"), 0, view.key, view.value, view.headers))
    shelf.write(Outbound(view.topic, 0, view.key, view.value, view.headers))
    assert kinds(audit(shelf)) == {("view", "surplus", "no_event"), ("view", "surplus", "doubled")}


def test_a_view_taken_out() -> None:
    shelf = wire.written()
    view = shelf.of(VIEWS)[0].record
    shelf.write(Outbound(view.topic, 0, view.key, None))
    assert kinds(audit(shelf)) == {("view", "changed", "erased")}


def test_a_missing_receipt() -> None:
    report = audit(tampered(LEDGER, 5, lambda _: None))
    assert kinds(report) == {("receipt", "missing", "absent")}
    assert report.findings[0].recipient is not None


def test_a_changed_receipt() -> None:
    report = audit(tampered(LEDGER, 5, lambda receipt: with_field(receipt, fields=["everything"])))
    assert kinds(report) == {("receipt", "changed", "derived")}
    other = audit(tampered(LEDGER, 5, lambda receipt: with_field(receipt, view_digest="00" * 32)))
    assert kinds(other) == {("receipt", "changed", "derived")}


def test_a_receipt_of_nothing() -> None:
    shelf = wire.written()
    receipt = shelf.of(LEDGER)[0].record
    value = with_field(receipt, recipient="tmf").value
    shelf.write(Outbound(LEDGER, receipt.partition, receipt.key, value))
    assert kinds(audit(shelf)) == {("receipt", "surplus", "no_event")}


def test_an_altered_log_record() -> None:
    shelf = wire.written()
    concern = next(s for s in shelf.of(LOG) if b"tier_1_signs" in (s.record.value or b""))
    altered = Stored(with_field(concern.record, tier_1_signs=7), 0)
    found = kinds(audit(Shelf([*(s for s in shelf.records if s is not concern), altered])))
    assert ("log", "altered", "disagrees") in found
    assert not {kind for kind in found if kind[0] in {"view", "receipt"}}


@pytest.mark.parametrize(
    ("header", "value", "why"),
    [
        ("ce_contract", b"00" * 32, "contract"),
        ("ce_type", b"dk.samspil.no-such-thing.v1", "unreadable"),
        ("ce_withheld", b"ku", "form"),
    ],
)
def test_an_altered_header_of_the_log(header: str, value: bytes, why: str) -> None:
    def change(record: Inbound) -> Inbound:
        others = tuple((name, text) for name, text in record.headers if name != header)
        return replace(record, headers=(*others, (header, value)))

    assert ("log", "altered", why) in kinds(audit(tampered(LOG, 0, change)))


def test_a_log_record_whose_judgement_raises() -> None:
    shelf = wire.written()
    scheduled = next(s for s in shelf.of(LOG) if b"starts_at" in (s.record.value or b""))
    found = kinds(audit(Shelf([s for s in shelf.records if s is not scheduled])))
    # What names the meeting finds none: its judgement raises, and what was said of it has no ground.
    assert found >= {("log", "altered", "judgement"), ("view", "surplus", "no_event"), ("state", "changed", "derived")}


def test_a_log_record_taken_out_or_said_again() -> None:
    shelf = wire.written()
    record = shelf.of(LOG)[0].record
    shelf.write(Outbound(LOG, record.partition, record.key, record.value, record.headers))
    shelf.write(Outbound(LOG, record.partition, record.key, None))
    assert kinds(audit(shelf)) == {("log", "altered", "repeated"), ("log", "altered", "erased")}


def test_a_log_record_in_another_partition() -> None:
    report = audit(tampered(LOG, -1, lambda record: replace(record, partition=(record.partition + 1) % 12, offset=900)))
    assert ("log", "altered", "misplaced") in kinds(report)


def test_states_changed_missing_and_made_up() -> None:
    assert kinds(audit(tampered(CASES, -1, lambda s: replace(s, value=(s.value or b"") + b" ")))) == {
        ("state", "changed", "derived")
    }
    shelf = wire.written()
    key = shelf.of(CASES)[0].record.key
    assert kinds(audit(Shelf([s for s in shelf.records if s.record.topic != CASES or s.record.key != key]))) == {
        ("state", "missing", "absent")
    }
    shelf.write(Outbound(CASES, 0, b"41bf18fc-565e-4426-8cff-222e1cda8c00", b"{}"))
    assert kinds(audit(shelf)) == {("state", "surplus", "no_event")}


def test_a_vault_receipt_is_checked_for_its_form() -> None:
    shelf = wire.written()
    receipt = orjson.loads(shelf.of(LEDGER)[0].record.value or b"")
    good = {**receipt, "outcome": "read", "actor": None, "view_digest": None}
    shelf.write(Outbound(LEDGER, topics.VAULT_PARTITION, b"k", canonical(good)))
    assert audit(shelf).vault_reads == 1
    assert audit(shelf).findings == ()
    for bad in (b"{}", b"no json", canonical({**good, "outcome": "released"}), canonical({**good, "value": "x"})):
        shelf.write(Outbound(LEDGER, topics.VAULT_PARTITION, b"k", bad))
    assert kinds(audit(shelf)) == {("vault_read", "malformed", "receipt_form")}


def test_findings_name_ids_and_nothing_else_of_a_foreign_record() -> None:
    shelf = wire.written()
    headers = (("ce_id", b"251248-9996"), ("ce_subject", b"251248-9996"), ("ce_source", b"251248-9996"))
    for topic in (topics.views("ku"), LOG, LEDGER, CASES):
        shelf.write(Outbound(topic, 0, b"251248-9996", b"251248-9996", headers))
    report = audit(shelf)
    assert len(report.findings) == 4
    assert "251248" not in str(report.body())


def test_each_reason_is_told() -> None:
    assert {finding.why for finding in audit(wire.written()).findings} <= set(REASONS)


def test_a_case_whose_log_stands_in_another_partition_has_no_ground() -> None:
    shelf = wire.written()
    case = _case(shelf.of(LOG)[0].record)
    log = [s for s in shelf.of(LOG) if _case(s.record) == case]
    rest = [s for s in shelf.records if s not in log]
    away = [replace(s.record, partition=(s.record.partition + 1) % 12, offset=900 + n) for n, s in enumerate(log)]
    report = audit(Shelf([*rest, *(Stored(record, 0) for record in away)]))
    assert [f.why for f in report.findings if f.what == "log"] == ["misplaced"] * len(log)
    found = kinds(report)
    assert found >= {("receipt", "surplus", "no_event"), ("state", "surplus", "no_event")}
    assert not {kind for kind in found if kind[1] == "missing"}


def _case(record: Inbound) -> bytes:
    return (record.key or b"").split(b"/")[1]


def test_a_view_that_names_another_case_is_not_the_one_that_is_missing() -> None:
    def renamed(view: Inbound) -> Inbound:
        others = tuple((name, text) for name, text in view.headers if name != "ce_subject")
        return replace(view, headers=(*others, ("ce_subject", b"41bf18fc-565e-4426-8cff-222e1cda8c00")))

    report = audit(tampered(VIEWS, 0, renamed))
    assert kinds(report) == {("view", "missing", "absent"), ("view", "surplus", "no_event")}


def test_a_state_in_another_partition_is_not_the_one_that_is_missing() -> None:
    shelf = wire.written()
    key = shelf.of(CASES)[0].record.key
    records = [s for s in shelf.records if s.record.topic != CASES or s.record.key != key]
    newest = [s for s in shelf.of(CASES) if s.record.key == key][-1]
    away = replace(newest.record, partition=(newest.record.partition + 1) % 12, offset=900)
    report = audit(Shelf([*records, Stored(away, 0)]))
    assert kinds(report) == {("state", "missing", "absent"), ("state", "surplus", "no_event")}
    assert report.states == audit(wire.written()).states


def test_states_whose_keys_are_no_text_are_each_found() -> None:
    shelf = wire.written()
    for key in (b"\xff", b"\xfe", None):
        shelf.write(Outbound(CASES, 0, key, b"{}"))
    assert len(audit(shelf).findings) == 3


def test_findings_have_one_order_however_the_partitions_are_read() -> None:
    shelf = wire.written()
    known = [stored for stored in shelf.records if stored not in shelf.of(VIEWS)]  # without views much is missing
    forwards, backwards = (
        audit(Shelf(sorted(known, key=lambda stored: turn * stored.record.partition))) for turn in (1, -1)
    )
    assert len(forwards.findings) > 50
    assert forwards == backwards
