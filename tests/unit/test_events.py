import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from schemas.contract_files import load
from schemas.contract_words import DEADLINES
from schemas.event_data import EventData, fields_of
from schemas.events import EVENTS
from schemas.field_type import field_type
from tests.contracts import IN_FORCE, SOURCE

CONTRACTS = [IN_FORCE, SOURCE]
REF = "vault:0b0f8a5e-0d7c-4c39-8a0c-3c1f7a0f9d11"
UUID = "0b0f8a5e-0d7c-4c39-8a0c-3c1f7a0f9d11"
GOOD = {
    "bool": True,
    "int": 3,
    "date": "2024-02-29",
    "instant": "2026-03-02T11:00:00.5+01:00",
    "uuid": UUID,
    "party": "bolig-nord",
    "kle": "27.24.00-G01-5-19",
    "event": UUID,
    "ref": REF,
}
BAD = {
    "bool": [1, 0, "true", "yes", "", [], {}],
    "int": [-1, 2**31, 1.0, "1", True, 1.5, [], 10**30],
    "date": ["2026-02-30", "2026-2-3", "20260203", "2026-02-03 ", "2026-02-03\n", "٢٠٢٦-01-01", 20260203, "0000-01-01"],
    "instant": [
        "2026-03-02T11:00:00",
        "2026-03-02t11:00:00Z",
        "2026-03-02T11:00:00z",
        "2026-03-02 11:00:00Z",
        "2026-03-02T11:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T11:00:60Z",
        "2026-02-30T11:00:00Z",
        "2026-03-02T11:00:00+0100",
        "2026-03-02T11:00:00+24:00",
        "2026-03-02T11:00:00+01:60",
        "2026-03-02T11:00:00.Z",
        "2026-03-02T11:00:00.2512489996Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "2026-03-02T11:00:00Z\n",
        1772449200,
    ],
    "uuid": [UUID.upper(), UUID.replace("-", ""), "{" + UUID + "}", UUID + "\n", "urn:uuid:" + UUID, 7],
    "party": ["", "KU", "ku ", "ku\n", "-ku", "ku--x", "251248-9996", "k.u", 1],
    "kle": ["27.24", "27.24.00-g01", "27.24.00-G01-5-19-1", "27.24.00\n", "٢٧.24.00", 27],
    "event": [UUID.upper(), "x", 7],
    "ref": [UUID, "vault:", "vault:" + UUID.upper(), REF + "x", "Vault:" + UUID, "251248-9996", 7],
}  # fmt: skip


def good(model: type[EventData]) -> dict[str, object]:
    """Return data that fills every field of a model."""
    data: dict[str, object] = {}
    for name, field in fields_of(model).items():
        type_ = field_type(field.type)
        value = type_.values[0] if type_.values else GOOD[type_.scalar]
        data[name] = [value] if type_.many else value
    return data


def read(model: type[EventData], data: object) -> EventData:
    return model.model_validate_json(json.dumps(data))


@pytest.mark.parametrize("folder", [path for path in CONTRACTS if path.is_dir()], ids=lambda path: path.parent.name)
def test_the_models_are_the_catalogue(folder: Path) -> None:
    """Read by another reader than the program's own, name by name, in order, class and type."""
    written = yaml.safe_load((folder / "catalogue.yaml").read_text(encoding="utf-8"))["types"]
    told = {name: [(field, *pair) for field, pair in about["data"].items()] for name, about in written.items()}
    modelled = {
        name: [(field.name, field.sensitivity, field.type) for field in fields_of(model).values()]
        for name, model in EVENTS.items()
    }
    assert modelled == told
    assert list(EVENTS) == list(written)


def test_the_deadlines_that_may_be_said_are_those_that_run() -> None:
    assert set(field_type(fields_of(EVENTS["deadline-passed"])["deadline"].type).values) == DEADLINES
    assert {deadline.name for deadline in load(IN_FORCE).deadlines} == DEADLINES


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_read_and_written_as_it_was_said(name: str) -> None:
    model = EVENTS[name]
    data = good(model)
    event = read(model, data)
    assert json.loads(event.model_dump_json(exclude_none=True)) == data
    assert hash(event) == hash(read(model, data))
    with pytest.raises(ValidationError):
        setattr(event, next(iter(data)), None)


@pytest.mark.parametrize("name", EVENTS)
def test_each_field_takes_what_the_catalogue_says_and_nothing_else(name: str) -> None:
    model = EVENTS[name]
    for field in fields_of(model).values():
        type_ = field_type(field.type)
        wrong: list[object] = [*BAD.get(type_.scalar, ["", "no such value", 15, True, " ", type_.values[:1]])]
        if type_.many:
            item = type_.values[0] if type_.values else GOOD[type_.scalar]
            wrong = [*([value] for value in wrong), [], [item, item], item, [None], {"0": item}]
        if not type_.optional:
            wrong.append(None)
        for value in wrong:
            with pytest.raises(ValidationError):
                read(model, {**good(model), field.name: value})
        absent = {key: value for key, value in good(model).items() if key != field.name}
        if type_.optional:
            assert read(model, absent) == read(model, {**absent, field.name: None})
        else:
            with pytest.raises(ValidationError):
                read(model, absent)
    with pytest.raises(ValidationError):
        read(model, {**good(model), "religion": "x"})


def test_no_event_can_say_what_must_never_be_said() -> None:
    """No field of these names anywhere, no list of references, nothing of class 2-4 but a reference."""
    banned = {"religion", "ethnicity", "politics", "dress", "score", "rank", "cpr", "name", "text", "note", "persons"}
    for name, model in EVENTS.items():
        assert "pinpoint" not in name
        for field in fields_of(model).values():
            assert field.name not in banned
            assert field.type != "ref[]"
            assert (field.sensitivity >= 2) == field.is_ref
