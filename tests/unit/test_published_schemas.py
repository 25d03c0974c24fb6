import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.admission import admit
from schemas.asyncapi import document
from schemas.canonical import canonical
from schemas.contract_files import load_all
from schemas.envelope import Event, binary, type_of
from schemas.event_data import fields_of
from schemas.events import EVENTS
from schemas.field_type import field_type
from schemas.json_schema import ENVELOPE, schemas
from schemas.rights import rights
from schemas.topics import catalogue, inbox, views
from schemas.vocabulary import instant
from tests.contracts import POLICIES

CONTRACT = load_all(POLICIES).newest
SCHEMAS = schemas(CONTRACT)
ID = "1561cff2-a7de-41b9-a231-0bfc562efcad"
NOW = instant("2026-03-02T12:00:00Z")
# One value of each type; wrong ones on which JSON Schema can agree with us (to it 1.0 is an integer, and a
# calendar is none of its business).
GOOD: dict[str, list[Any]] = {
    "bool": [True],
    "int": [0, 2**31 - 1],
    "date": ["2026-02-03"],
    "instant": ["2026-03-02T11:00:00.25+01:00", "2026-03-02T11:00:00Z"],
    "uuid": [ID],
    "party": ["ku", "bolig-nord"],
    "kle": ["27.24.00", "27.24.00-G01-5-19"],
    "event": [ID],
    "ref": [f"vault:{ID}"],
}
BAD: list[Any] = [-1, 2**31, 1.5, "", "nobody", "2026-2-3", "2026-03-02T11:00:00z", ID.upper(), "27.24", [], {}, [[]]]


def saying(name: str) -> tuple[str, dict[str, str]]:
    """Return somebody who may say it, and the attributes of its saying."""
    type_ = CONTRACT.types[name]
    roles = {"owner": "sof", "new_owner": "sof", "invited": "sof", "recipient": "sof", "any": "sof"}
    first = type_.publishers[0]
    party = next(
        (party.id for party in CONTRACT.parties.values() if first in {party.id, party.kind}), roles.get(first, "ku")
    )
    subject = {"subject": "41bf18fc-565e-4426-8cff-222e1cda8c0f"} if type_.has_case else {}
    return party, {
        "specversion": "1.0",
        "id": ID,
        "source": f"urn:samspil:party:{party}",
        "type": type_of(name),
        "time": "2026-03-02T11:00:00Z",
        "datacontenttype": "application/json",
        **subject,
    }


def variants(name: str) -> list[dict[str, Any]]:
    """Return data, good and bad, that differs from a good one in one field."""
    fields = {key: field_type(field.type) for key, field in fields_of(EVENTS[name]).items()}
    good = {key: list(type_.values) or GOOD[type_.scalar] for key, type_ in fields.items()}
    whole = {key: [good[key][0]] if type_.many else good[key][0] for key, type_ in fields.items()}
    found = [whole, {}, {**whole, "religion": 1}]
    for key, type_ in fields.items():
        values = [*good[key], *BAD]
        several = [[value] for value in values] + [[], [good[key][0]] * 2, good[key]] if type_.many else []
        found += [{**whole, key: value} for value in [*values, *several, None]]
        found.append({other: value for other, value in whole.items() if other != key})
    return found


@pytest.mark.parametrize("name", [name for name, type_ in CONTRACT.types.items() if type_.publishers != ("bus",)])
def test_the_schemas_take_what_admission_takes(name: str) -> None:
    data_validator = Draft202012Validator(SCHEMAS[type_of(name)])
    envelope_validator = Draft202012Validator(SCHEMAS[ENVELOPE])
    party, said = saying(name)
    assert envelope_validator.is_valid({**said, "data": {}})
    taken = 0
    for data in variants(name):
        admitted = isinstance(admit(CONTRACT, party, binary(said), canonical(data), NOW), Event)
        assert data_validator.is_valid(data) == admitted, data
        taken += admitted
    assert taken


def test_the_envelope_takes_no_other_attributes() -> None:
    validator = Draft202012Validator(SCHEMAS[ENVELOPE])
    _, said = saying("concern-raised")
    whole = {**said, "data": {}}
    wrongs: list[dict[str, Any]] = [
        {"subject": None},
        {"time": "now"},
        {"type": "dk.samspil.x.v1"},
        {"person": "x"},
        {"data_base64": ""},
        {"id": 1},
        {"source": "urn:samspil:party:nobody"},
    ]
    for wrong in wrongs:
        assert not validator.is_valid({**whole, **wrong})
    assert not validator.is_valid({key: value for key, value in whole.items() if key != "subject"})
    assert not validator.is_valid({**whole, "type": type_of("prevention-activity-held")})


def test_every_schema_is_a_schema_and_says_the_class_of_every_field() -> None:
    assert len(SCHEMAS) == len(CONTRACT.types) + 1
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        json.dumps(schema)
        if name != ENVELOPE:
            assert all(about["x-class"] in range(5) for about in schema["properties"].values())


def test_the_document_names_every_topic_and_every_right() -> None:
    whole = document(CONTRACT)
    assert whole["asyncapi"] == "3.0.0"
    assert list(whole["channels"]) == [topic.name for topic in catalogue(CONTRACT.parties)]
    told = {(about["title"], about["action"], about["channel"]["$ref"]) for about in whole["operations"].values()}
    moves = {"WRITE": "send", "READ": "receive"}
    assert told == {
        (right.principal, moves[right.operation], f"#/channels/{right.name}")
        for right in rights(CONTRACT.parties)
        if right.kind == "TOPIC" and right.operation in moves
    }
    messages = whole["components"]["messages"]
    for channel in whole["channels"].values():
        assert channel["messages"]
        for name, pointer in channel["messages"].items():
            assert name in messages
            assert pointer == {"$ref": f"#/components/messages/{name}"}
    assert "case-erased" not in whole["channels"][inbox("sof")]["messages"]
    assert list(whole["channels"][views("sof")]["messages"]) == ["view"]
