"""The ten invariants that the law and practice behind the contract ask for: each a check that its guards make true.

Six to ten, of time, withdrawal, replay, erasure and counting, are in test_invariants_over_time.py. Beside them, in
more detail or on the real services:

1 no banned field and no free text: test_admission.py, integration/test_bad_input.py
2 nobody is found in two cases: acceptance/test_no_value_anywhere.py
3 what is unknown is refused, and that is logged: test_contract_files.py, integration/test_streams_worker.py
4 no use in investigations, nothing for outsiders: test_histories.py, acceptance/test_first_weeks.py
5 no third SSD meeting: test_needs.py
6 the city's time and holidays: test_invariants_over_time.py
7 a withdrawn consent: test_withdrawal.py, integration/test_withdrawal_race.py
8 any day told again: test_audit_verification.py, integration/test_audit.py
9 what is erased is gone: test_audit_remains.py
10 no count below five: test_decide.py, test_statistics_attack.py, integration/test_statistics.py
"""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ConfigDict

from schemas import (
    admission,
    decide,
    json_schema,
    may_read,
    rules_file,
)
from schemas.canonical import digest
from schemas.contract import Contract, Contracts, EventType, Field, Rule
from schemas.contract_words import THE_BUS
from schemas.envelope import Event, source_of, type_of
from schemas.event_data import EventData
from schemas.events import EVENTS
from schemas.events.city import PreventionActivityHeld
from schemas.field_type import field_type
from schemas.needs import meeting
from schemas.records import Inbound
from schemas.vocabulary import Class
from streams import dead_letters
from streams.admit import admitted_record
from streams.coordinate import Coordinate
from streams.states import States
from streams.step import judged
from tests.contracts import ROOT
from tests.guards import (
    Guards,
    altered,
    patched,
    refused,
    with_type,
    without_obligations,
)
from tests.unit import bus_words
from tests.unit.sayings import CASE, ONE, OTHER_CASE, Talk, coordinated
from tests.unit.scenarios import STRUCTURED, Bus, Heard, contract, play, said, sealed, written

HELD = Guards()
UNIT = ROOT / "tests" / "unit"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROSE = "Han bor hos sin mor på Nørrebro"
BANNED = ("religion", "ethnicity", "political_opinion", "dress", "trade_union", "score", "rank", "name", "cpr", "note")
EXAMPLES = {
    "bool": True,
    "int": 3,
    "date": "2026-01-01",
    "instant": "2026-01-01T10:00:00Z",
    "uuid": ONE,
    "event": ONE,
    "party": "sof",
    "kle": "27.24.00",
    "ref": f"vault:{ONE}",
}


def _open(model: type[EventData]) -> type[EventData]:
    """Return a model that passes over what it does not know."""
    return type(model.__name__, (model,), {"__module__": __name__, "model_config": ConfigDict(extra="ignore")})


class LooseActivity(PreventionActivityHeld):
    """An activity whose kind is whatever somebody writes."""

    kind: Annotated[str, Class(0)]  # type: ignore[assignment]  # what must not be


@HELD.check(
    unknown_fields=patched(admission, "EVENTS", {name: _open(model) for name, model in EVENTS.items()}),
    closed_types=patched(admission, "EVENTS", {**EVENTS, "prevention-activity-held": LooseActivity}),
    published_schema=patched(json_schema, "_SCALARS", {**json_schema._SCALARS, "kle": {"type": "string"}}),
)
def no_banned_field_and_no_free_text_is_taken(given: Contract) -> None:
    """1. A banned field or free text fails validation at the publisher (by the published schema) and at admission."""
    for type_ in given.types.values():
        if THE_BUS in type_.publishers:
            continue
        good = {name: _example(field) for name, field in type_.fields.items()}
        assert _taken(given, type_, good) == (True, True), type_.name
        prosaic = [{**good, name: _prose(field)} for name, field in type_.fields.items()]
        for bad in (*prosaic, *({**good, name: PROSE} for name in BANNED)):
            assert _taken(given, type_, bad) == (False, False), (type_.name, bad)


def _example(field: Field) -> Any:
    written = field_type(field.type)
    value = written.values[0] if written.values else EXAMPLES[written.scalar]
    return [value] if written.many else value


def _prose(field: Field) -> Any:
    return [PROSE] if field_type(field.type).many else PROSE


def _taken(given: Contract, type_: EventType, data: dict[str, Any]) -> tuple[bool, bool]:
    """Say whether the published schema and admission take this data of a type."""
    attributes = {
        "specversion": "1.0",
        "id": ONE,
        "type": type_of(type_.name),
        "time": "2026-01-01T10:00:00Z",
        "datacontenttype": "application/json",
        **({"subject": CASE} if type_.has_case else {}),
        "data": data,
    }
    bodies = ((party, json.dumps({**attributes, "source": source_of(party)}).encode()) for party in given.parties)
    admitted = (admission.admit(given, party, STRUCTURED, body, NOON) for party, body in bodies)
    by_schema = Draft202012Validator(json_schema.data_schema(given, type_)).is_valid(data)
    return by_schema, any(isinstance(event, Event) for event in admitted)


# What may stand in a table beside a case: nothing that is the same for the same person in another case.
BESIDE_A_CASE = frozenset(
    {
        "case", "case_id", "ref", "party", "field", "content_type", "key_id", "nonce", "sealed", "deposited_at",
        "named", "wrapped",
        "partition", "state", "event_id", "type", "said_at", "place", "fields", "topic", "record_key", "body",
        "changed_at", "version", "memory",
    }
)  # fmt: skip
NAMES_OF_ITS_OWN = frozenset(
    {"meeting", "consent", "measure", "transfer", "deciders", "concern", "corrects", "correction", "request"}
)
_CARRIERS = may_read._carriers


def _carried_by_anyone(case: Any, deposit: may_read.Deposit) -> Iterator[tuple[int, str, Any]]:
    """Forget that a reference is of one case."""
    return _CARRIERS(case, replace(deposit, case=case.id))


@HELD.check(
    vault_of_one_case=patched(may_read, "_carriers", _carried_by_anyone),
    no_field_of_another_case=altered(
        with_type("concern-raised", fields={"seen_in": Field("seen_in", 1, "uuid")}),
    ),
    no_person_in_a_table=patched(bus_words, "tables", lambda: {"vault.deposits": {"ref", "case", "cpr_hmac"}}),
)
def nobody_is_found_in_two_cases(given: Contract) -> None:
    """2. No topic, table, changelog or query maps a person to more than one case."""
    fields = [field for type_ in given.types.values() for field in type_.fields.values()]
    assert {field.name for field in fields if field_type(field.type).scalar in {"uuid", "event"}} <= NAMES_OF_ITS_OWN
    for name, columns in bus_words.tables().items():
        assert columns.isdisjoint({"case", "case_id"}) or columns <= BESIDE_A_CASE, name
    _each_record_is_of_one_case()
    talk, other = Talk(case=CASE), Talk(case=OTHER_CASE)
    other.bus, other.count = talk.bus, 1_000
    refs = {"person": talk.ref(), "signs": talk.ref()}
    talk.ok("buf", "concern-raised", **refs)
    other.ok("buf", "concern-raised", **refs)
    for party in given.parties:
        deposit = may_read.Deposit(refs["person"], "buf", CASE, "person")
        assert isinstance(may_read.may_read(given, other.state, deposit, party, other.bus.now), may_read.Refused), party


def _each_record_is_of_one_case() -> None:
    """Hold every record that the shipped scenario leads to: it names one case, and a reference stands in one alone."""
    bus = Bus(contract())
    heard = play(bus, said("first-weeks"))
    cases = {event["subject"] for event in said("first-weeks") if "subject" in event}
    homes: dict[bytes, set[str]] = defaultdict(set)
    accepted = iter(bus.accepted)
    for one in (one for one in heard if one.decision):
        admitted = next(accepted)
        for record in written(admitted, one):
            everything = b"".join((record.key or b"", record.value or b"", *(value for _, value in record.headers)))
            named = {case for case in cases if case.encode() in everything}
            assert named <= {admitted.event.case}
            for ref in re.findall(rb"vault:[0-9a-f-]{36}", everything):
                homes[ref] |= named
    assert len(homes) > 30
    assert all(len(named) == 1 for named in homes.values())


def _concern() -> dict[str, Any]:
    return said("first-weeks")[0]


UNKNOWN = Rule("x", "concern-raised", "neighbours", contract().gates["coordination"], ("age_band",))


@HELD.check(
    recipients_of_a_file=patched(rules_file, "_recipient", lambda word, _event, _known: word.text()),
    fields_of_a_file=patched(rules_file, "_release", lambda listed, _event: tuple(i.text() for i in listed.items())),
    gates_of_a_file=patched(
        rules_file, "_of", lambda word, known, _: known.get(word.text(), contract().gates["rights"])
    ),
    recipients_of_a_rule=patched(decide, "recipients", lambda *_: ()),
)
def what_the_contract_does_not_know_is_refused(given: Contract) -> None:
    """3. Unknown recipient, field or gate: refused, and the refusal is logged."""
    assert all(
        refused(
            "policy",
            ("to: sof, gate", "to: sofia, gate"),
            ("release: [received_at]", "release: [received]"),
            ("gate: child", "gate: kind"),
        )
    )
    strange = replace(given, rules=(*given.rules, UNKNOWN), digest=digest("strange"))
    event = admission.admit(strange, "buf", STRUCTURED, json.dumps(_concern()).encode(), NOON)
    assert isinstance(event, Event)
    record = admitted_record(sealed(strange, event, NOON))
    step = Coordinate(Contracts([strange]), lambda: "00" * 16)
    inbound = Inbound(record.topic, record.partition, 0, record.key, record.value, record.headers)
    outcome = judged(step, [inbound], States())
    assert [dead.error for dead in outcome.dead] == ["UnknownWordError"]  # streams/claim logs each of them
    assert [json.loads(o.value or b"").get("reason") for o in outcome.outputs] == [dead_letters.INTERNAL, None]


OUTSIDERS = ("pet", "bolig-nord", "sikkerby", "udvalg", "by-malmoe")


def _generous(given: Contract) -> Contract:
    """Return a policy that would give outsiders everything, by rules that are not marked as being for them."""
    gate = given.gates["coordination"]
    rules = [
        Rule(
            id=f"all-{type_.name}-{party}",
            event=type_.name,
            to=party,
            gate=gate,
            release=tuple(field.name for field in type_.fields.values() if not field.is_ref),
            refs=tuple(field.name for field in type_.fields.values() if field.is_ref),
        )
        for type_ in given.types.values()
        for party in OUTSIDERS
        if type_.has_case
    ]
    return replace(given, rules=(*given.rules, *rules))


@HELD.check(
    obligation=altered(without_obligations),
    holders_alone=patched(decide, "failure", lambda *_: None),
    rules_for_others=patched(rules_file, "_check_non_holder", lambda *_: None),
)
def investigations_and_outsiders_get_nothing(given: Contract) -> None:
    """4. Every delivery under section 115 carries that it is not for investigations; outsiders never receive class 1-4.

    Outsiders: PET, housing, Sikker By and all others that hold no case data; a notifier's own receipt is of class 0.
    """
    bus = Bus(_generous(given))
    shown = [
        view for heard in play(bus, said("first-weeks")) for view in (heard.decision.views if heard.decision else ())
    ]
    grounds = [ground for view in shown for ground in view.data["grounds"]]
    forum = [ground["obligations"] for ground in grounds if "§ 115" in ground["basis"]]
    assert len(forum) > 10
    assert all("no_investigation_use" in obligations for obligations in forum)
    outside = [view for view in shown if not given.parties[view.recipient].holds_case_data]
    assert outside
    for view in outside:
        type_ = given.types[next(e.event.type for e in bus.accepted if e.event.id == view.heading.event)]
        assert not view.data["refs"] | view.data["case_refs"]
        assert {type_.fields[name].sensitivity for name in view.data["fields"]} <= {0}
    assert all(
        refused(
            "policy",
            ("non_holder: true, release: [concern]", "non_holder: true, release: [concern, examination_started]"),
            (
                "gate: coordination, release: [received_at]",
                "gate: coordination, non_holder: true, release: [], refs: [person]",
            ),
        )
    )


@HELD.check(
    limit=patched(meeting, "SSD_MEETINGS", 3),
    need=altered(with_type("meeting-scheduled", needs=("not_coordinating", "duplicate_meeting"))),
)
def no_third_ssd_meeting(given: Contract) -> None:
    """5. A third SSD meeting is rejected; one that was cancelled is none."""
    talk = coordinated("10_14", contract_=given)
    first, second, third, fourth = (talk.fresh() for _ in range(4))
    for id_ in (first, second):
        talk.ok("ku", "meeting-scheduled", meeting=id_, forum="ssd")
    talk.ok("ku", "meeting-held", meeting=first, attended=["sof"])
    assert _reason(talk.say("ku", "meeting-scheduled", meeting=third, forum="ssd")) == "ssd_limit"
    talk.ok("ku", "meeting-cancelled", meeting=second)
    talk.ok("ku", "meeting-scheduled", meeting=third, forum="ssd")
    assert _reason(talk.say("ku", "meeting-scheduled", meeting=fourth, forum="ssd")) == "ssd_limit"


def _reason(heard: Heard) -> str | None:
    return getattr(heard.verdict, "reason", None)


@pytest.mark.parametrize("name", HELD.checks)
def test_it_holds(name: str) -> None:
    HELD.holds(name)


@pytest.mark.parametrize(("name", "guard"), HELD.removals)
def test_it_fails_without_its_guard(name: str, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.misses(name, guard, monkeypatch)


def test_what_is_named_here_as_tested_elsewhere_exists() -> None:
    for name in ("test_invariants.py", "test_invariants_over_time.py", "test_objections.py", "test_silence.py"):
        doc = ast.get_docstring(ast.parse((UNIT / name).read_text(encoding="utf-8"))) or ""
        for named in re.findall(r"[a-z_/]+\.py", doc):
            assert any((folder / named).exists() for folder in (UNIT, UNIT.parent, ROOT)), named
