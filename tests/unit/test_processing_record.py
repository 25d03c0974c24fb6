"""The Article 30 record and the DPIA say what the contract says, and everything the law asks to be said."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from schemas import contract_words, danish_words
from schemas.errors import UsageError
from schemas.processing_record import TABLES, renewed
from tests.contracts import ROOT
from tests.unit.scenarios import contract

DOCUMENTS = sorted((ROOT / "deploy" / "docs").glob("*.md"))
RECORD = (ROOT / "deploy" / "docs" / "article-30-record.md").read_text(encoding="utf-8")
DPIA = (ROOT / "deploy" / "docs" / "dpia.md").read_text(encoding="utf-8")
SAMSPIL = Path(sys.executable).with_name("samspil")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_follows_from_the_contract_in_force(path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    assert renewed(document, contract()) == document, "renew it: samspil policy record deploy/docs/*.md"


def test_a_changed_contract_changes_them() -> None:
    """Each table shows what it is made from; what the administration wrote stays as it is."""
    now = contract()
    kept = tuple(replace(kept, keep="9 years") for kept in now.retention)
    gates = {**now.gates, "child": replace(now.gates["child"], basis="lov X")}
    forums = {**now.forums, "psp": replace(now.forums["psp"], ages=frozenset())}
    parties = {**now.parties, "pet": replace(now.parties["pet"], holds_case_data=True)}
    types = {**now.types, "case-closed": replace(now.types["case-closed"], publishers=("any",))}
    others = (
        replace(now, digest="0" * 64, retention=kept),
        replace(now, gates=gates, forums=forums, parties=parties),
        replace(now, rules=now.rules[1:]),
        replace(now, types=types, deadlines=now.deadlines[1:]),
    )
    for name, table in TABLES.items():
        if name != "personoplysninger":  # its classes are the code's own (schemas/events)
            assert len({table(other) for other in (now, *others)}) > 1, name
    filled = RECORD.replace("e-post: **[UDFYLDES]**", "e-post: borgerrepræsentationen@example.org")
    assert renewed(renewed(filled, others[0]), now) == filled


def test_every_table_stands_in_one_of_them() -> None:
    assert sorted(re.findall(r"fra kontrakten: (\S+) ", (RECORD + DPIA))) == sorted([*TABLES, "kontrakt"])


def test_a_mark_without_a_table_or_an_end_is_refused() -> None:
    for document in ("<!-- fra kontrakten: vejret -->\n<!-- slut -->", "<!-- fra kontrakten: porte -->\n"):
        with pytest.raises(UsageError):
            renewed(document, contract())


def test_what_the_law_asks_for_has_its_heading_and_its_gaps() -> None:
    assert re.findall(r"^## (\w)\. ", RECORD, re.MULTILINE) == list("abcdefg")  # art. 30(1)
    for point in "abcd":  # art. 35(7)
        assert f"litra {point}" in DPIA
    assert {"(stk. 2)", "(stk. 9)", "(stk. 11)", "(artikel 36)"} <= set(re.findall(r"\([^()]*\)", DPIA))
    assert all(part.count("UDFYLDES") for part in RECORD.split("\n## ")[1:])


def test_every_closed_word_has_its_danish() -> None:
    roles = {*contract_words.RECIPIENT_ROLES, *contract_words.PUBLISHER_ROLES, "any", "bus"}
    assert danish_words.KINDS.keys() == contract_words.KINDS
    assert danish_words.ROLES.keys() == roles
    assert danish_words.PREDICATES.keys() == contract_words.PREDICATES.keys()
    assert danish_words.OBLIGATIONS.keys() == contract_words.OBLIGATIONS
    assert danish_words.DEADLINES.keys() == contract_words.DEADLINES
    assert danish_words.RETENTION.keys() == contract_words.RETENTION
    assert danish_words.STARTS.keys() == contract_words.KEPT_FROM
    assert danish_words.CONDITIONS.keys() == {*contract_words.KEPT_WHILE, contract_words.SUBJECT_IS_CHILD}
    units = contract_words.LENGTH_UNITS | contract_words.KEEP_UNITS
    assert danish_words.span("1 month") == "1 måned"
    assert all(danish_words.span(f"2 {unit}").startswith("2 ") for unit in units)


def test_the_command_renews_a_document_in_place(tmp_path: Path) -> None:
    mine = tmp_path / "fortegnelse.md"
    mine.write_text(RECORD.replace("| SSP |", "| forkert |", 1), encoding="utf-8")
    run = subprocess.run([SAMSPIL, "policy", "record", mine], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert mine.read_text(encoding="utf-8") == RECORD
    shutil.rmtree(tmp_path)
    gone = subprocess.run([SAMSPIL, "policy", "record", mine], capture_output=True, text=True, check=False)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (2, 1)
