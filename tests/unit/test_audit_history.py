"""A case told again up to a time, and who got what of it on which ground."""

import orjson

from consumers.audit.disclosures import disclosures
from consumers.audit.history import tell_case
from schemas import state, topics
from schemas.canonical import canonical
from schemas.records import Outbound
from schemas.vocabulary import instant
from tests import wire

CASE = "41bf18fc-565e-4426-8cff-222e1cda8c0f"
MEETING_SCHEDULED = "912af19d-2551-4621-8ef6-02058668e8fd"


def test_the_whole_case_ends_in_the_state_that_is_kept() -> None:
    shelf = wire.written()
    told = tell_case(wire.contracts(), shelf.of(wire.LOG), CASE)
    kept = [s.record.value for s in shelf.of(wire.CASES) if s.record.key == CASE.encode()]
    assert told.state == orjson.loads(kept[-1] or b"")
    assert told.findings == ()
    assert {retold.admitted.event.case for retold in told.events} == {CASE}


def test_a_time_ends_the_story() -> None:
    log = wire.written().of(wire.LOG)
    told = tell_case(wire.contracts(), log, CASE, instant("2026-03-03T10:00:00Z"))
    assert [retold.admitted.event.type for retold in told.events] == [
        "concern-raised",
        "child-notification-forwarded",
        "notifier-receipted",
    ]
    assert told.state == orjson.loads(state.encode(told.events[-1].state))
    body = told.body()
    assert set(body["events"][0]["views"]) == {"ku", "sof"}
    orjson.dumps(body)


def test_before_its_first_event_there_is_no_case() -> None:
    told = tell_case(wire.contracts(), wire.written().of(wire.LOG), CASE, instant("2026-01-01T00:00:00Z"))
    assert (told.events, told.state) == ((), None)


def test_what_cannot_be_told_again_is_said() -> None:
    shelf = wire.written()
    record = next(s.record for s in shelf.of(wire.LOG) if CASE.encode() in (s.record.key or b""))
    shelf.write(Outbound(topics.LOG, record.partition, record.key, None))
    told = tell_case(wire.contracts(), shelf.of(wire.LOG), CASE)
    assert [finding.why for finding in told.findings] == ["erased"]


def test_each_receipt_has_its_grounds() -> None:
    shelf = wire.written()
    told = tell_case(wire.contracts(), shelf.of(wire.LOG), CASE)
    rows = disclosures(wire.contracts(), shelf.of(wire.LEDGER), CASE, told)
    receipts = [orjson.loads(s.record.value or b"") for s in shelf.of(wire.LEDGER)]
    assert len(rows) == sum(receipt["subject"] == CASE for receipt in receipts)
    assert all(ground.gate and ground.basis for row in rows for ground in row.grounds)
    invited = next(row for row in rows if (row.event, row.recipient) == (MEETING_SCHEDULED, "politi"))
    assert invited.type == "meeting-scheduled"
    assert [(g.rule, g.gate, g.basis) for g in invited.grounds] == [
        ("meeting-invited", "forum", "retsplejeloven § 115, stk. 1, nr. 1")  # of the meeting's forum
    ]


def test_what_was_withheld_has_its_reason() -> None:
    shelf = wire.written()
    receipts = [orjson.loads(s.record.value or b"") for s in shelf.of(wire.LEDGER)]
    withheld = next(receipt for receipt in receipts if receipt["outcome"] == "withheld" and receipt["subject"])
    rows = disclosures(wire.contracts(), shelf.of(wire.LEDGER), withheld["subject"])
    row = next(r for r in rows if (r.event, r.recipient) == (withheld["event"], withheld["recipient"]))
    assert {ground.rule: ground.failed for ground in row.grounds} == withheld["failed"]
    assert row.fields == ()


def test_a_read_of_the_vault_names_its_actor_and_foreign_records_are_passed_over() -> None:
    shelf = wire.written()
    receipt = orjson.loads(shelf.of(wire.LEDGER)[0].record.value or b"")
    actor = "0b6f6a3e-5b62-4d51-8a39-2f1f6f6a0c11"
    read = {**receipt, "subject": CASE, "outcome": "read", "actor": actor, "time": "2030-01-01T00:00:00Z"}
    shelf.write(Outbound(topics.LEDGER, topics.VAULT_PARTITION, CASE.encode(), canonical(read)))
    shelf.write(Outbound(topics.LEDGER, 0, CASE.encode(), canonical({"subject": CASE})))
    last = disclosures(wire.contracts(), shelf.of(wire.LEDGER), CASE)[-1]
    assert (last.outcome, last.actor) == ("read", actor)


def test_an_unknown_contract_leaves_the_rules_by_name() -> None:
    shelf = wire.written()
    receipt = orjson.loads(shelf.of(wire.LEDGER)[0].record.value or b"")
    foreign = {**receipt, "subject": CASE, "contract": "00" * 32, "time": "2030-01-01T00:00:00Z"}
    shelf.write(Outbound(topics.LEDGER, 0, CASE.encode(), canonical(foreign)))
    last = disclosures(wire.contracts(), shelf.of(wire.LEDGER), CASE)[-1]
    assert [ground.rule for ground in last.grounds] == receipt["rules"]
    assert {(ground.gate, ground.basis) for ground in last.grounds} == {(None, None)}
