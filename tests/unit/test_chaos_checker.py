"""The check of a chaos run can fail: each flaw that it looks for is planted once, and counted."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

import pytest

from schemas import contract_files, outputs, predicates, topics
from schemas.admission import admit
from schemas.canonical import canonical
from schemas.envelope import Admitted, Event, Seal, log_key_of
from schemas.judge import Judgement
from schemas.records import Inbound, Outbound
from schemas.state import encode
from schemas.verdicts import Accepted, Refusal, Verdict, answer
from tests.chaos import checker, lives, policy_reading, reading
from tests.chaos.findings import Flaw, Result
from tests.chaos.fold import folded
from tests.chaos.found import Found, Journal, headers_of
from tests.chaos.journal import Acknowledged
from tests.chaos.lives import Line
from tests.contracts import POLICIES
from tests.unit.scenarios import Bus, contract, sealed

NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
HTTP_PARTY = "buf"
BLOCKS = 8
NEW_ID = "00000000-0000-4000-8000-000000000000"


@dataclass
class Writing:
    """A bus on paper: judges by the pure functions, and keeps what it writes."""

    bus: Bus = field(default_factory=lambda: Bus(contract(), NOW))
    records: list[Inbound] = field(default_factory=list)
    inbox: Counter[str] = field(default_factory=Counter)
    ends: Counter[tuple[str, int]] = field(default_factory=Counter)
    verdicts: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def hear(self, line: Line) -> Acknowledged:
        saying, party = line.saying, line.saying.party
        offset = self.inbox[party]
        self.inbox[party] += 1
        event = admit(self.bus.contract, party, saying.headers, saying.value, NOW)
        verdict: Verdict
        if isinstance(event, Event):
            seal = sealed(self.bus.contract, event, NOW).seal
            admitted = Admitted(event, Seal(seal.recorded, seal.salt, seal.contract, offset))
            judgement = self.bus.judge(admitted)
            verdict = judgement.verdict
            self._write(*_accepted(admitted, judgement))
        else:
            judgement, verdict = None, event
        if judgement is None or judgement.decision is None:
            self._write(answer(party, verdict, offset))
        self.verdicts.setdefault((party, saying.id), set()).add(_word(verdict))
        return Acknowledged(party, saying.id, saying.case, None if party == HTTP_PARTY else offset)

    def _write(self, *records: Outbound) -> None:
        for record in records:
            place = (record.topic, record.partition)
            self.records.append(Inbound(*place, self.ends[place], record.key, record.value, record.headers))
            self.ends[place] += 1

    def of(self, *names: str) -> tuple[Inbound, ...]:
        kept = (record for record in self.records if record.topic in names)
        return tuple(sorted(kept, key=lambda record: (record.topic, record.partition, record.offset)))


def _accepted(admitted: Admitted, judgement: Judgement) -> Iterator[Outbound]:
    if (decision := judgement.decision) is not None:
        yield outputs.log_record(admitted, decision.withheld)
        yield from map(outputs.view_record, decision.views)
        yield from (outputs.receipt_record(admitted.event, receipt) for receipt in decision.receipts)
        yield outputs.state_record(admitted.event.key, encode(judgement.state), admitted.seal.contract)


def _word(verdict: Verdict) -> str:
    if isinstance(verdict, Refusal):
        return verdict.reason
    return "duplicate" if verdict.duplicate else "accepted"


@cache
def played() -> tuple[Found, tuple[Journal, ...]]:
    """Return a run without a flaw: the parties' blocks in turn, the last acknowledgement of each said twice."""
    writing = Writing()
    said: dict[str, list[Line]] = {party: [] for party in lives.PARTIES}
    known: dict[str, list[Acknowledged]] = {party: [] for party in lives.PARTIES}
    telling = {party: lives.blocks(party, 7, NOW) for party in lives.PARTIES}
    for _ in range(BLOCKS):
        for party, blocks in telling.items():
            lines = [line for block in islice(blocks, 1) for line in lives.interleaved(block)]
            said[party] += lines
            known[party] += [writing.hear(line) for line in [*lines, lines[-1]]]
    parties = tuple(writing.bus.contract.parties)
    found = Found(
        log=writing.of(topics.LOG),
        refusals=writing.of(*map(topics.refusals, parties)),
        dead=(),
        views=writing.of(*map(topics.views, parties)),
        ledger=writing.of(topics.LEDGER),
        cases=writing.of(topics.CASES),
        verdicts={key: frozenset(words) for key, words in writing.verdicts.items()},
    )
    journals = (
        Journal(party, tuple(said[party]), tuple(known[party]), over_http=party == HTTP_PARTY) for party in said
    )
    return found, tuple(journals)


def checked(found: Found, journals: Iterable[Journal] | None = None) -> Result:
    own = played()[1] if journals is None else tuple(journals)
    return checker.check(found, own, contract_files.load_all(POLICIES), policy_reading.read_all(POLICIES))


def without(records: tuple[Inbound, ...], at: int) -> tuple[Inbound, ...]:
    return (*records[:at], *records[at + 1 :])


def like(record: Inbound, **changes: Any) -> Inbound:
    names = ("topic", "partition", "offset", "key", "value", "headers")
    return Inbound(**{name: changes.get(name, getattr(record, name)) for name in names})


def changed(records: tuple[Inbound, ...], at: int, **changes: Any) -> tuple[Inbound, ...]:
    return (*records[:at], like(records[at], **changes), *records[at + 1 :])


def rewritten(records: tuple[Inbound, ...], at: int, change: Callable[[dict[str, Any]], None]) -> tuple[Inbound, ...]:
    """Return the records with the JSON value of one changed."""
    value = json.loads(records[at].value or b"")
    change(value)
    return changed(records, at, value=canonical(value))


def place_of(records: tuple[Inbound, ...], is_it: Callable[[Inbound], bool]) -> int:
    return next(at for at, record in enumerate(records) if is_it(record))


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


def test_a_lost_answer_is_found() -> None:
    found, _ = played()
    at = place_of(found.refusals, lambda record: record.topic == topics.refusals("sof"))
    assert checked(replace(found, refusals=without(found.refusals, at))).by_flaw == {Flaw.LOST: 1}


def test_an_event_that_was_refused_for_no_reason_is_found() -> None:
    found, journals = played()
    sof = next(journal for journal in journals if journal.party == "sof")
    line = next(line for line in sof.lines if not line.sure and line.saying.type == "follow-up-held")
    journal = replace(sof, lines=tuple(replace(one, sure=True) if one is line else one for one in sof.lines))
    result = checked(found, [journal if one is sof else one for one in journals])
    assert [(f.flaw, f.where[:20]) for f in result.findings] == [(Flaw.LOST, "refused for no reaso")]


def test_an_event_judged_twice_is_found() -> None:
    found, _ = played()
    again = like(found.log[5], offset=1_000_000)
    result = checked(replace(found, log=(*found.log, again)))
    assert result.by_flaw[Flaw.TWICE] >= 2  # its place in the inbox, and its id


def test_an_answer_given_twice_is_found() -> None:
    found, _ = played()
    again = like(found.refusals[0], offset=1_000_000)
    assert checked(replace(found, refusals=(*found.refusals, again))).by_flaw == {Flaw.TWICE: 1}


def test_a_duplicate_of_nothing_is_found() -> None:
    found, _ = played()
    made_up = answer("sof", Accepted("00000000-0000-4000-8000-000000000000", duplicate=True), 99_999)
    record = Inbound(made_up.topic, 0, 1_000_000, made_up.key, made_up.value, made_up.headers)
    result = checked(replace(found, refusals=(*found.refusals, record)))
    assert result.by_flaw == {Flaw.LOST: 1, Flaw.WRONGLY_DISCLOSED: 1}


def test_an_answer_told_to_another_party_is_found() -> None:
    found, _ = played()
    for party in ("politi", "ku"):  # who says nothing in the run, and who does
        stray = like(found.refusals[0], topic=topics.refusals(party), offset=1_000_000, headers=())
        result = checked(replace(found, refusals=(*found.refusals, stray)))
        assert result.by_flaw == {Flaw.WRONGLY_DISCLOSED: 1}, party


def _another_reason(body: dict[str, Any]) -> None:
    body["reason"] = "internal"


def _another_path(body: dict[str, Any]) -> None:
    body["paths"] = ["/data/held_on"]


def _a_value(body: dict[str, Any]) -> None:
    body["note"] = "Anna"


@pytest.mark.parametrize("change", [_another_reason, _another_path, _a_value])
def test_an_answer_that_does_not_follow_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    found, _ = played()
    at = place_of(found.refusals, lambda record: json.loads(record.value or b"")["verdict"] == "refused")
    assert checked(replace(found, refusals=rewritten(found.refusals, at, change))).by_flaw[Flaw.ALTERED] == 1


def test_an_answer_follows_from_what_the_case_was_then() -> None:
    """Not from an earlier state, as a bus that had forgotten something would give it."""
    found, journals = played()
    fold = folded(found.log, contract_files.load_all(POLICIES))
    closed = place_of(found.log, lambda record: headers_of(record)["ce_type"] == "dk.samspil.case-closed.v1")
    case = headers_of(found.log[closed])["ce_subject"]
    said = (line.saying for journal in journals for line in journal.lines)
    later = next(one for one in said if (one.case, one.type) == (case, "follow-up-held")).known_as(NEW_ID)
    assert {verdict.reason for verdict in fold.answers(later, 1_000_000)} == {"case_closed"}  # type: ignore[union-attr]
    of_any_time = {verdict.reason for verdict in fold.answers(later, None)}  # type: ignore[union-attr]
    assert {"unknown_case", "case_closed"} <= of_any_time


def test_an_answer_that_names_no_place_is_found() -> None:
    """Only what the gateway refuses has none."""
    found, _ = played()
    of_sof = place_of(found.refusals, lambda record: record.topic == topics.refusals("sof"))
    again = like(found.refusals[of_sof], offset=1_000_000, headers=())
    assert checked(replace(found, refusals=(*found.refusals, again))).by_flaw == {Flaw.ALTERED: 1}


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


View = dict[str, Any]


def _field_too_many(view: View) -> None:
    view["fields"]["age_band"] = "18_24"


def _reference_too_many(view: View) -> None:
    view["refs"]["person"] = "vault:00000000-0000-4000-8000-000000000000"


def _earlier_reference_too_many(view: View) -> None:
    view["case_refs"]["person"] = ["vault:00000000-0000-4000-8000-000000000000"]


def _other_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "screened-owner"


def _other_basis(view: View) -> None:
    view["grounds"][0]["basis"] = "because"


def _foreign_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "check-invited"


def _unknown_rule(view: View) -> None:
    view["grounds"][0]["rule"] = "all"


def _no_ground(view: View) -> None:
    view["grounds"] = []


@pytest.mark.parametrize(
    "change",
    [
        _field_too_many,
        _reference_too_many,
        _earlier_reference_too_many,
        _other_rule,
        _foreign_rule,
        _other_basis,
        _unknown_rule,
        _no_ground,
    ],
)
def test_a_view_that_the_policy_does_not_allow_is_found(change: Callable[[View], None]) -> None:
    """By the policy's own text, beside the byte for byte comparison with the fold."""
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "ku", "concern-screened"))
    result = checked(replace(found, views=rewritten(found.views, at, change)))
    by_policy = [f for f in result.findings if f.flaw is Flaw.WRONGLY_DISCLOSED and "@" in f.where]
    assert by_policy
    assert result.by_flaw[Flaw.LOST] == 1  # and the view that was due is not there


@pytest.mark.parametrize("name", ["subject_is_child", "consent_covers"])
def test_a_gate_that_lets_everybody_pass_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though bus and fold agree, since both ask the same predicate: the check reads the policy's words itself."""
    monkeypatch.setattr(predicates, "PREDICATES", {**predicates.PREDICATES, name: lambda _: None})
    found, journals = played.__wrapped__()
    result = checked(found, journals)
    assert set(result.by_flaw) == {Flaw.WRONGLY_DISCLOSED}
    assert all(f" asks for {name}: " in finding.where for finding in result.findings)


@pytest.mark.parametrize("recipient", ["politi", "sikkerby", "suf"])
def test_a_view_for_whom_no_rule_means_is_found(recipient: str) -> None:
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "ku", "concern-screened"))
    stray = like(found.views[at], topic=topics.views(recipient), offset=1_000_000)
    result = checked(replace(found, views=(*found.views, stray)))
    where = [f.where for f in result.findings if "@" in f.where]
    assert set(result.by_flaw) == {Flaw.WRONGLY_DISCLOSED}
    assert any("does not mean this party" in text for text in where)
    assert any("may not hold" in text for text in where) == (recipient == "sikkerby")


def test_a_count_of_few_people_is_found() -> None:
    found, _ = played()
    at = place_of(found.views, lambda record: _is_view_of(record, "pet", "prevention-activity-held"))
    views = rewritten(found.views, at, lambda view: view["fields"].update(participants=4))
    assert "field participants" in str(checked(replace(found, views=views)).findings)


def test_a_view_of_nothing_in_the_log_is_found() -> None:
    found, _ = played()
    headers = tuple(
        (name, b"00000000-0000-4000-8000-000000000000" if name == "ce_causationid" else raw)
        for name, raw in found.views[0].headers
    )
    result = checked(replace(found, views=changed(found.views, 0, headers=headers)))
    assert "of nothing in the log" in str(result.findings)


def _is_view_of(record: Inbound, recipient: str, type_: str) -> bool:
    return record.topic == topics.views(recipient) and headers_of(record)["ce_type"] == f"dk.samspil.{type_}.v1"
