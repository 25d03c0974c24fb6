"""The check of a chaos run can fail: each flaw of log, order, state and outputs is planted once, and counted."""

from dataclasses import replace
from typing import Any

import pytest

from schemas import outputs, topics
from schemas.envelope import log_key_of
from schemas.records import Inbound
from tests.chaos import reading
from tests.chaos.findings import Flaw, Result
from tests.chaos.found import headers_of
from tests.unit.chaos_runs import HTTP_PARTY, NEW_ID, changed, checked, like, place_of, played, rewritten, without


def test_a_run_without_a_flaw_is_clean() -> None:
    result = checked(played()[0])
    assert result.findings == ()
    counts = result.counts
    assert counts.events > 150
    assert (counts.views > counts.events, counts.refused > 5, counts.duplicates > 5) == (True, True, True)


def test_a_lost_event_is_found() -> None:
    found, _ = played()
    result = checked(replace(found, log=without(found.log, 5)))
    assert result.by_flaw[Flaw.LOST] >= 1
    assert f"acknowledged: {headers_of(found.log[5])['ce_source'].rpartition(':')[2]}" in str(result.findings)


def test_an_event_judged_twice_is_found() -> None:
    found, _ = played()
    again = like(found.log[5], offset=1_000_000)
    result = checked(replace(found, log=(*found.log, again)))
    assert result.by_flaw[Flaw.TWICE] >= 2  # its place in the inbox, and its id


def test_a_doubled_view_and_a_doubled_receipt_are_found() -> None:
    found, _ = played()
    views, ledger = (*found.views, found.views[3]), (*found.ledger, found.ledger[3])
    assert checked(replace(found, views=views, ledger=ledger)).by_flaw == {Flaw.TWICE: 2}


def test_a_lost_view_and_a_lost_receipt_are_found() -> None:
    found, _ = played()
    views, ledger = without(found.views, 3), without(found.ledger, 3)
    assert checked(replace(found, views=views, ledger=ledger)).by_flaw == {Flaw.LOST: 2}


def test_a_swapped_order_is_found() -> None:
    """Two events of one case and publisher change places in the log; where they stood in the inbox stays."""
    found, _ = played()
    first = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.conversation-held.v1")
    case = headers_of(found.log[first])["ce_subject"]
    second = place_of(found.log[first + 1 :], lambda record: headers_of(record).get("ce_subject") == case) + first + 1
    log = list(found.log)
    log[first], log[second] = (
        like(log[second], offset=log[first].offset),
        like(log[first], offset=log[second].offset),
    )
    assert checked(replace(found, log=tuple(log))).by_flaw[Flaw.OUT_OF_ORDER] >= 1


def test_an_order_that_its_publisher_never_said_is_found() -> None:
    """Inbox and log agree, and both are wrong."""
    found, journals = played()
    sof = next(journal for journal in journals if journal.party == "sof")
    result = checked(found, [replace(one, lines=tuple(reversed(one.lines))) if one is sof else one for one in journals])
    assert set(result.by_flaw) == {Flaw.OUT_OF_ORDER}


@pytest.mark.parametrize("written", ["views", "ledger"])
def test_what_a_reader_gets_in_another_order_is_found(written: str) -> None:
    found, _ = played()
    backwards = sorted(getattr(found, written), key=lambda record: (record.topic, record.partition, -record.offset))
    changes: Any = {written: tuple(backwards)}
    result = checked(replace(found, **changes))
    assert set(result.by_flaw) == {Flaw.OUT_OF_ORDER}
    assert result.by_flaw[Flaw.OUT_OF_ORDER] > 10


def test_a_case_in_two_partitions_is_found() -> None:
    found, _ = played()
    at = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.case-closed.v1")
    log = changed(found.log, at, partition=(found.log[at].partition + 1) % topics.PARTITIONS)
    assert checked(replace(found, log=log)).by_flaw[Flaw.OUT_OF_ORDER] >= 1


def test_a_wrong_state_is_found() -> None:
    found, _ = played()
    newest = {record.key: at for at, record in enumerate(found.cases)}
    at = max(newest.values())
    cases = changed(found.cases, at, value=(found.cases[at].value or b"").replace(b'"said"', b'"sayd"'))
    assert checked(replace(found, cases=cases)).by_flaw == {Flaw.STATE: 1}


def test_a_missing_state_and_one_of_no_case_are_found() -> None:
    found, _ = played()
    key = found.cases[0].key
    fewer = tuple(record for record in found.cases if record.key != key)
    stray = like(found.cases[0], key=b"00000000-0000-4000-8000-000000000000")
    assert checked(replace(found, cases=(*fewer, stray))).by_flaw == {Flaw.STATE: 2}


def test_a_log_record_that_was_never_said_so_is_found() -> None:
    found, _ = played()
    at = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.conversation-held.v1")
    log = rewritten(found.log, at, lambda data: data.update(outcome="accepts_contact"))
    result = checked(replace(found, log=log))
    assert [f.flaw for f in result.findings if f.where.startswith("never said so")] == [Flaw.ALTERED]


def test_another_time_than_was_said_is_found() -> None:
    found, _ = played()
    headers = tuple((name, b"2026-01-02T03:04:05Z" if name == "ce_time" else raw) for name, raw in found.log[5].headers)
    result = checked(replace(found, log=changed(found.log, 5, headers=headers)))
    assert [f.flaw for f in result.findings if f.where.startswith("never said so")] == [Flaw.ALTERED]


def test_an_event_that_was_to_be_refused_is_found() -> None:
    """A follow-up to a closed case, as a worker with an old state would take it."""
    found, _ = played()
    closed = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.case-closed.v1")
    case = headers_of(found.log[closed])["ce_subject"]
    followed = place_of(found.log, lambda record: _is_follow_up(record, case))
    headers = tuple((name, NEW_ID.encode() if name == "ce_id" else raw) for name, raw in found.log[followed].headers)
    key = log_key_of("sof", case, NEW_ID)
    late = like(found.log[followed], key=key, headers=headers, offset=found.log[closed].offset + 1)
    result = checked(replace(found, log=(*found.log[: closed + 1], late, *found.log[closed + 1 :])))
    assert f"accepted, and was to be refused: {late.topic}/{late.partition}@{late.offset}" in _where(result)


def _is_follow_up(record: Inbound, case: str) -> bool:
    headers = headers_of(record)
    return (headers["ce_type"], headers.get("ce_subject")) == ("dk.samspil.follow-up-held.v1", case)


def _where(result: Result) -> list[str]:
    return [finding.where for finding in result.findings]


def test_another_key_than_the_logs_is_found() -> None:
    """The broker would let one of two such records go."""
    found, _ = played()
    assert checked(replace(found, log=changed(found.log, 5, key=b"one"))).by_flaw == {Flaw.ALTERED: 1}


def test_a_log_that_lacks_an_event_is_told_and_not_stumbled_over() -> None:
    found, _ = played()
    for type_ in ("meeting-scheduled", "concern-raised", "consent-recorded", "transfer-initiated"):
        at = place_of(found.log, lambda record: headers_of(record)["ce_type"] == f"dk.samspil.{type_}.v1")  # noqa: B023
        assert checked(replace(found, log=without(found.log, at))).by_flaw[Flaw.LOST] >= 1


def test_what_only_closes_a_file_is_no_record() -> None:
    marks = [Inbound(one.topic, one.partition, 0, one.key, one.value, one.headers) for one in outputs.marks(0, ["sof"])]
    assert [reading.is_mark(mark) for mark in marks] == [True] * 3
    assert not any(map(reading.is_mark, (*played()[0].log, *played()[0].views)))


def test_a_verdict_that_hides_a_withheld_party_is_found() -> None:
    found, _ = played()
    at = place_of(found.log, lambda record: "ce_withheld" in headers_of(record))
    kept = tuple(header for header in found.log[at].headers if header[0] != "ce_withheld")
    assert checked(replace(found, log=changed(found.log, at, headers=kept))).by_flaw == {Flaw.ALTERED: 1}


def test_a_dead_letter_is_found() -> None:
    found, _ = played()
    assert checked(replace(found, dead=(Inbound(topics.DEAD, 0, 0, b"", b"{}", ()),))).by_flaw == {Flaw.DEAD: 1}


def test_a_missing_and_another_verdict_are_found() -> None:
    found, _ = played()
    of_buf = [key for key in found.verdicts if key[0] == HTTP_PARTY]
    fewer = {key: words for key, words in found.verdicts.items() if key != of_buf[0]}
    verdicts = {**fewer, of_buf[1]: frozenset({"not_owner"})}
    assert checked(replace(found, verdicts=verdicts)).by_flaw == {Flaw.VERDICT: 2}
