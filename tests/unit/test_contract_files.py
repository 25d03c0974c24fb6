import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contract import Contract, Contracts
from schemas.contract_files import FILES, checked, load, load_all
from schemas.errors import ContractError
from schemas.located_yaml import parse
from tests.contracts import IN_FORCE, POLICIES, SOURCE

TEXTS = {name: (IN_FORCE / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}
READ = {name: parse(text, f"{name}.yaml") for name, text in TEXTS.items()}


def with_text(name: str, text: str) -> Contract:
    """Return the contract in force with one file's text replaced."""
    return checked(**{**READ, name: parse(text, f"{name}.yaml")})


def changed(name: str, old: str, new: str) -> str:
    assert old in TEXTS[name], old
    return TEXTS[name].replace(old, new, 1)


def first_changed_line(old: str, new: str) -> int:
    before, after = old.splitlines(), new.splitlines()
    return next(i for i, line in enumerate(after, 1) if i > len(before) or before[i - 1] != line)


def copied(to: Path, **changes: tuple[str, str]) -> Path:
    """Copy the contract in force, with one text replaced in some of its files."""
    for name, text in TEXTS.items():
        (to / f"{name}.yaml").write_text(changed(name, *changes[name]) if name in changes else text, encoding="utf-8")
    return to


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(IN_FORCE)


def test_the_contract_in_force_is_read_whole(contract: Contract) -> None:
    assert len(contract.parties) == 21
    assert len(contract.types) == 30
    assert len(contract.rules) == 61
    assert contract.types["concern-screened"].needs == (
        "child_screened_by_sof",
        "already_screened",
        "transfer_pending",
        "owner_not_eligible",
    )
    assert contract.rule["screened-owner"].to_publisher
    assert contract.rule["activity"].suppress_below == {"participants": 5}
    assert contract.forums["ssp"].ages == {"10_14", "15_17", "18_24"}
    assert contract.parties["udvalg"].da == "De politiske udvalg (ØU, BIU, BR)"
    assert [deadline.length for deadline in contract.deadlines][:2] == ["24 hours", "6 working days"]


def test_what_ships_is_what_the_source_says(contract: Contract) -> None:
    for source in [SOURCE] if SOURCE.is_dir() else []:
        assert load(source).digest == contract.digest


def test_the_digest_is_over_what_is_said_not_how(contract: Contract) -> None:
    rewritten = changed("policy", "version: 1", "# a comment\n\n'version':   1   # another")
    assert with_text("policy", rewritten).digest == contract.digest
    assert with_text("policy", changed("policy", "version: 1", "version: 2")).digest != contract.digest


REFUSED = [
    # an unknown word, wherever it stands
    ("policy", "version: 1", "version: 1\nextra: 1", "extra"),
    ("policy", "id: concern-ku, event", "id: concern-ku, evnt", "evnt"),
    ("policy", "event: concern-raised, to: ku", "event: concern-rased, to: ku", "concern-rased"),
    ("policy", "to: ku, gate", "to: kuu, gate", "kuu"),
    ("policy", "to: owner, gate: ownership, release", "to: owners, gate: ownership, release", "owners"),
    ("policy", "gate: coordination, release", "gate: coordinaton, release", "coordinaton"),
    ("policy", "release: [source_type,", "release: [sourcetype,", "sourcetype"),
    ("policy", "refs: [signs]", "refs: [sign]", "sign"),
    ("policy", "case_refs: [person, signs, narrative]", "case_refs: [persons]", "persons"),
    ("policy", "obligations: [no_investigation_use]", "obligations: [be_good]", "be_good"),
    ("policy", "child:        {predicates: [subject_is_child]", "child:        {predicates: [is_nice]", "is_nice"),
    ("policy", "subject_is_child: not_a_child", "subject_is_minor: not_a_child", "subject_is_minor"),
    ("policy", "subject_is_child: not_a_child", "subject_is_child: too_old", "too_old"),
    ("policy", "  ksp: {basis", "  xsp: {basis", "xsp"),
    ("policy", "ages: ['10_14', '15_17'", "ages: ['10_15', '15_17'", "10_15"),
    ("policy", "parties: [politi, sof, suf]", "parties: [politi, sof, sufi]", "sufi"),
    ("policy", "  transfer:             {", "  hand_over:            {", "hand_over"),
    ("policy", "if: subject_is_child, length", "if: subject_is_adult, length", "subject_is_adult"),
    ("policy", "if: outcome is coordinate", "if: outcome is coordinated", "coordinated"),
    ("policy", "length: 24 hours", "length: 24 moons", "24 moons"),
    ("policy", "length: 24 hours", "length: 1 working days", "1 working days"),
    ("policy", "length: 24 hours", "length: 0 hours", "0 hours"),
    ("policy", "until: due", "until: dew", "dew"),
    ("policy", "met_by: concern-screened", "met_by: concern-screend", "concern-screend"),
    ("policy", "met_by: [transfer-accepted,", "met_by: [transfer-acceptd,", "transfer-acceptd"),
    ("policy", "responsible: new_owner}", "responsible: nobody}", "nobody"),
    ("policy", "  closed_case:", "  shut_case:", "shut_case"),
    ("policy", "keep: 6 months", "keep: 6 hours", "6 hours"),
    ("policy", "after: case-closed", "after: case-shut", "case-shut"),
    ("policy", "of: register-check-answered.facts", "of: register-check-answered.fact", "register-check-answered.fact"),
    ("policy", "if: no accepted event names it", "if: nobody cares", "nobody cares"),
    ("catalogue", "  concern-raised:", "  concern-shouted:", "concern-shouted"),
    ("catalogue", "publishers: [administration,", "publishers: [administrations,", "administrations"),
    ("catalogue", "signs_insufficient:", "signs_enough:", "signs_enough"),
    ("catalogue", "tier_1_signs: [1, int]", "tier_9_signs: [1, int]", "tier_9_signs"),
    ("catalogue", "tier_1_signs: [1, int]", "tier_1_signs: [1, text]", "text"),
    ("catalogue", "    case: none", "    case: some", "some"),
    ("catalogue", "opens_case: true", "opens_cases: true", "opens_cases"),
    ("parties", "kind: secretariat", "kind: secretary", "secretary"),
    ("parties", "under: sof", "under: sofa", "sofa"),
    ("parties", "holds_case_data: true", "hold_case_data: true", "hold_case_data"),
    # what would release more than it may, or say what it does not do
    ("policy", "release: [source_type,", "release: [signs, source_type,", "signs"),
    ("policy", "refs: [signs]", "refs: [age_band]", "age_band"),
    ("policy", "non_holder: true, release: [concern]", "non_holder: true, release: [concern, examination_started]",
     "examination_started"),
    ("policy", "gate: coordination, release: [received_at]",
     "gate: coordination, non_holder: true, release: [], refs: [person]", "no references"),
    ("policy", "id: concern-sof,", "id: concern-ku,", "concern-ku"),
    ("policy", "when: {outcome: [close, advise]}", "when: {outcom: [close]}", "outcom"),
    ("policy", "when: {outcome: [close, advise]}", "when: {outcome: [closed]}", "closed"),
    ("policy", "when: {outcome: [close, advise]}", "when: {outcome: []}", "no value"),
    ("policy", "when: {outcome: [close, advise]}", "when: {grounds: [close]}", "grounds"),
    ("policy", "when: {article: ['16',", "when: {article: [16,", "16"),
    ("policy", "suppress_below: {participants: 5}", "suppress_below: {area: 5}", "area"),
    ("policy", "suppress_below: {participants: 5}", "suppress_below: {participants: 0}", "threshold"),
    ("policy", "consent: measure, release: [measure, kind", "consent: maesure, release: [measure, kind", "maesure"),
    ("policy", "gate: forum, consent: meeting, release: [meeting, st", "gate: forum, release: [meeting, st", "forum"),
    ("policy", "gate: consent, consent: exit,", "gate: consent,", "consent"),
    ("policy", "gate: handover, consent: handover,", "gate: handover,", "handover"),
    ("policy", "gate: ownership, release: [meeting, starts_at]",
     "gate: ownership, consent: meeting, release: [meeting, starts_at]", "ownership"),
    ("policy", "to: everyone, gate: knowledge", "to: owner, gate: knowledge", "owner"),
    ("policy", "to: everyone, gate: knowledge", "to: everyone, gate: child", "child"),
    ("policy", "to: ku, gate: coordination, release: [source", "to: attended, gate: coordination, release: [source",
     "attended"),
    ("policy", "to: owner, gate: ownership, release: [held_on",
     "to: owner, gate: forum, consent: meeting, release: [held_on", "meeting"),
    ("policy", "typed: true, release: []", "typed: yes, release: []", "true or false"),
    ("policy", "until: next_due", "until: progress", "progress"),
    ("policy", "length: 1 month, resp", "length: 1 month, until: received_on, resp", "either"),
    ("policy", "valid_from: 2026-01-01", "valid_from: 2026-02-30", "2026-02-30"),
    ("policy", "version: 1", "version: one", "integer"),
    ("catalogue", "signs: [3, ref]", "signs: [1, ref]", "ref"),
    ("catalogue", "age_band: [1,", "age_band: [0,", "age_band"),
    ("catalogue", "age_band: [1,", "age_band: [7,", "7"),
    ("catalogue", "{under_10, 10_14,", "{under_9, 10_14,", "age_band"),
    ("catalogue", "publishers: [bus]", "publishers: [bus, ku]", "bus"),
    ("parties", "  ekp: ", "  worker: ", "worker"),
    ("parties", "  ekp: ", "  owner: ", "owner"),
    ("parties", "  ekp: ", "  Ekp: ", "Ekp"),
    # YAML's own traps
    ("policy", "version: 1", "version: 1\nversion: 2", "twice"),
    ("policy", "version: 1", "version: 1.0", "1.0"),
    ("policy", "version: 1", "version: 0x1", "0x1"),
    ("policy", "version: 1", "version: &v 1", "anchors"),
    ("policy", "version: 1", "version: !!int 1", "tags"),
    ("policy", "version: 1", "version: [1", "not YAML"),
    ("policy", "version: 1", "version: \x07", "character"),
    ("parties", "holds_case_data: true", "holds_case_data: ~", "~"),
    ("parties", "holds_case_data: true", "holds_case_data: on", "true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "word"), REFUSED)
def test_one_wrong_word_refuses_the_whole(name: str, old: str, new: str, word: str) -> None:
    text = changed(name, old, new)
    with pytest.raises(ContractError) as refusal:
        with_text(name, text)
    line = first_changed_line(TEXTS[name], text)
    place, _, why = str(refusal.value).partition(f"{name}.yaml:")[2].partition(": ")
    assert word in why
    # the parser of YAML notices an open bracket only where the next key comes
    assert int(place) in ({line} if not why.startswith("not YAML") else range(line, line + 3))


def test_a_word_that_is_missing_is_said_with_the_place_it_is_missing_from() -> None:
    with pytest.raises(ContractError, match=r"policy\.yaml:\d+: forum 'ssd' is missing"):
        with_text("policy", changed("policy", "  ssd: {", "  # ssd: {"))
    with pytest.raises(ContractError, match=r"parties\.yaml:\d+: 'kind' is missing"):
        with_text("parties", changed("parties", "kind: unit, ", ""))


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 1\n", "a: 1\n---\nb: 2\n", "{" * 40, "just a word"])
def test_a_file_that_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match=r"policy\.yaml:\d+: "):
        with_text("policy", text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (copied(tmp_path) / "policy.yaml").write_bytes(b"version: \xff")
    with pytest.raises(ContractError, match="UTF-8"):
        load(tmp_path)
    (tmp_path / "policy.yaml").unlink()
    with pytest.raises(ContractError, match="cannot be read"):
        load(tmp_path)


def test_contracts_lie_in_folders_named_by_their_first_day(tmp_path: Path) -> None:
    assert load_all(POLICIES).newest.digest == load(IN_FORCE).digest
    (first := tmp_path / "2026-01-01").mkdir()
    (second := tmp_path / "2026-07-01").mkdir()
    copied(first)
    copied(second, policy=("valid_from: 2026-01-01", "valid_from: 2026-07-01"))
    contracts = load_all(tmp_path)
    assert (contracts.first.valid_from.month, contracts.newest.valid_from.month) == (1, 7)
    copied(second)
    with pytest.raises(ContractError, match="2026-07-01"):
        load_all(tmp_path)


@settings(max_examples=60)
@given(st.sampled_from(FILES), st.integers(0, 10**6), st.sampled_from(["", "x", ": ", "[", "}", "- ", "\n", "'", "~"]))
def test_whatever_is_broken_is_read_or_refused_as_a_contract(name: str, at: int, scrap: str) -> None:
    words = re.split(r"(\W+)", TEXTS[name])
    words[at % len(words)] = scrap
    with suppress(ContractError):
        assert with_text(name, "".join(words)).digest


def test_no_contract_at_all_is_no_contract(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="holds no contract"):
        load_all(tmp_path)
    with pytest.raises(ContractError, match="no such folder"):
        load_all(tmp_path / "nowhere")


def test_topics_and_rights_are_for_everybody_that_any_contract_knows() -> None:
    """A party that a newer contract drops still has its login, and an inbox that must be read."""
    older = load(IN_FORCE)
    newer = replace(
        older,
        valid_from=date(2030, 1, 1),
        digest="newer",
        parties={name: party for name, party in older.parties.items() if name != "bolig-nord"},
    )
    assert Contracts([newer, older]).parties.keys() == older.parties.keys()
