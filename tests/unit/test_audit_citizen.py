"""The report on a case: what a citizen may see of it, in words of her language, and what each recipient knows now."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from consumers.audit import danish
from consumers.audit.citizen import SECRET, for_citizen
from consumers.audit.disclosures import Disclosure, Ground, disclosures
from consumers.audit.history import Told, tell_case
from consumers.audit.knowledge import Known, knowledge, known_of_receipts
from consumers.audit.page import Account, Ending, page
from schemas.contract_words import DEADLINES
from tests import wire

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RIGHTS = Ground("request-dpo", "rights", "GDPR art. 12-22")
CORRECTION = Ground("correction", "rights", "GDPR art. 12-22")
ACTOR = "0b6f6a3e-5b62-4d51-8a39-2f1f6f6a0c11"


def cases() -> list[str]:
    bodies = [orjson.loads(s.record.value or b"") for s in wire.written().of(wire.LEDGER)]
    return sorted({body["subject"] for body in bodies if body["subject"]})


def told(case: str) -> Told:
    return tell_case(wire.contracts(), wire.written().of(wire.LOG), case)


def rows_of(case: str, story: Told | None = None) -> tuple[Disclosure, ...]:
    return disclosures(wire.contracts(), wire.written().of(wire.LEDGER), case, story)


def row(event: str, type_: str, recipient: str, outcome: str = "released", *refs: str) -> Disclosure:
    ground = RIGHTS if type_ == SECRET else CORRECTION
    return Disclosure("2026-03-01T00:00:00Z", recipient, outcome, event, type_, ACTOR, (), refs, (ground,))


def test_every_word_of_the_contract_has_its_danish() -> None:
    for contract in wire.contracts().all:
        fields = {name for type_ in contract.types.values() for name in type_.fields}
        assert fields <= danish.FIELDS.keys()
        assert contract.gates.keys() <= danish.GATES.keys()
        assert {*contract.predicates.values(), "may_not_hold_case_data"} <= danish.REASONS.keys()
        assert {"released", "withheld", "read", "read_refused"} == danish.OUTCOMES.keys()
        assert danish.DEADLINES.keys() == DEADLINES


def test_a_receipt_knows_its_type_where_the_log_is_gone() -> None:
    for case in cases():
        with_log, without = rows_of(case, told(case)), rows_of(case)
        assert [r.type for r in with_log] == [r.type for r in without]


def test_a_secret_request_and_what_leads_to_it_is_left_out_whole() -> None:
    known = rows_of(cases()[0])
    secret = (
        row("s", SECRET, "dpo"),
        row("c", "correction-issued", "dpo"),
        row("c", "correction-issued", "bif"),
        row("a", "correction-acknowledged", "ku"),
        row("s", SECRET, "bif", "read", "request"),
        replace(row("x", SECRET, "ku", "read_refused", "request"), event=None, type=None),
    )
    shown = for_citizen(wire.contracts().newest, (*known, *secret))
    assert shown == for_citizen(wire.contracts().newest, known)
    assert len(shown) == len([r for r in known if r.type != SECRET])
    assert all(r.actor is None for r in shown)


def test_a_secret_of_the_scenario_is_found_by_the_log_and_by_the_receipts() -> None:
    for case in cases():
        story = told(case)
        rows = rows_of(case, story)
        for shown in (for_citizen(wire.contracts().newest, rows, story), for_citizen(wire.contracts().newest, rows)):
            assert SECRET not in {r.type for r in shown}


def test_what_was_released_is_known_unless_it_was_called_back() -> None:
    standings = set()
    for case in cases():
        story = told(case)
        released = {(r.recipient, r.type) for r in rows_of(case, story) if r.outcome == "released"}
        found = knowledge(wire.contracts(), story, NOW)
        assert {k.recipient for k in found} == {recipient for recipient, _ in released}
        assert not any(
            k.readable for k in found if k.standing in {"to_delete", "deleted"} and k.why != "consent_withdrawn"
        )
        assert all(k.why for k in found if k.standing != "known")
        standings |= {(k.standing, k.why) for k in found}
    assert standings >= {
        ("known", None),
        ("wrong", "wrong_fact"),
        ("to_delete", "wrong_subject"),
        ("to_delete", "withdrawn"),
        ("to_delete", "consent_withdrawn"),
    }


def test_of_an_erased_case_all_is_to_be_deleted() -> None:
    found = known_of_receipts(rows_of(cases()[0]), erased=True)
    assert found
    assert {(k.standing, k.why, k.readable) for k in found} == {("to_delete", "erased", False)}


def account(case: str, *, citizen: bool, erased: bool = False) -> str:
    rows: tuple[Disclosure, ...] = (*rows_of(case), row("r", "concern-raised", "sof", "read", "person"))
    known: tuple[Known, ...] = known_of_receipts(rows, erased=erased)
    ending = Ending("2027-06-01T00:00:00.000000Z", "retention") if erased else None
    rows = for_citizen(wire.contracts().newest, rows) if citizen else rows
    return page(wire.contracts(), Account(case, citizen, rows, known, ending, whole=True, made_at=NOW))


def test_the_page_is_danish_and_stands_alone() -> None:
    html = account(cases()[0], citizen=True)
    assert '<html lang="da">' in html
    assert not any(word in html for word in ("<script", "http:", "https:", "<link", "<img", ACTOR))
    assert "Socialforvaltningen" in html
    assert "en medarbejder" in html
    assert all(right in html for right in ("artikel 15", "artikel 16", "artikel 17", "Datatilsynet"))
    assert "Revisionens udgave" not in html


def test_the_auditors_page_names_the_pseudonym() -> None:
    html = account(cases()[0], citizen=False)
    assert ACTOR in html
    assert "Revisionens udgave" in html


def test_the_page_of_an_erased_case_says_when_and_why() -> None:
    html = account(cases()[0], citizen=True, erased=True)
    assert "Sagen blev slettet 1. juni 2027 kl. 02.00, fordi opbevaringstiden var udløbet" in html
    assert "skal slette det" in html
