"""The catalogue as JSON Schema 2020-12, for parties that validate before they publish.

One schema per type of event, of its data, and one of the envelope. Made from the contract's own words; where
JSON Schema is blunter than the catalogue (1.0 is an integer to it; it knows no calendar unless told to assert
formats), admission is what counts.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from schemas.attributes import REQUIRED
from schemas.contract import Contract, EventType, Field
from schemas.envelope import SOURCE_PREFIX, type_of
from schemas.field_type import field_type
from schemas.vocabulary import CASE_ID, DATE, INSTANT, KLE, MOST, UUID, VAULT_REF

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ENVELOPE = "cloudevent"
CLASSES = (
    "no personal data",
    "pseudonymous case fact",
    "identity",
    "special category or purely private",
    "criminal matter",
)
Schema: TypeAlias = dict[str, Any]

_SCALARS: Mapping[str, Schema] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer", "minimum": 0, "maximum": MOST},
    "date": {"type": "string", "format": "date", "pattern": DATE},
    "instant": {"type": "string", "format": "date-time", "pattern": INSTANT},
    "uuid": {"type": "string", "format": "uuid", "pattern": UUID},
    "kle": {"type": "string", "pattern": KLE},
    "event": {"type": "string", "format": "uuid", "pattern": UUID, "description": "id of an event of the case"},
    "ref": {"type": "string", "pattern": VAULT_REF, "description": "reference to a value in the vault"},
}


def schemas(contract: Contract) -> dict[str, Schema]:
    """Return every schema by the name of its file, without `.json`: one per type and version, and the envelope."""
    data = {type_of(name): data_schema(contract, type_) for name, type_ in contract.types.items()}
    return {ENVELOPE: envelope_schema(contract), **data}


def data_schema(contract: Contract, type_: EventType) -> Schema:
    """Return the schema of one type's data."""
    required = [field.name for field in type_.fields.values() if not field_type(field.type).optional]
    return {
        "$schema": DIALECT,
        "$id": f"urn:samspil:schema:{type_of(type_.name)}",
        "title": type_of(type_.name),
        "description": type_.da,
        "type": "object",
        "properties": {field.name: _field_schema(contract, field) for field in type_.fields.values()},
        "required": required,
        "additionalProperties": False,
        "x-publishers": list(type_.publishers),
    }


def envelope_schema(contract: Contract) -> Schema:
    """Return the schema of a structured event's attributes: CloudEvents 1.0, narrowed to what is taken."""
    types = sorted(type_of(name) for name in contract.types)
    caseless = sorted(type_of(type_.name) for type_ in contract.types.values() if not type_.has_case)
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": _SCALARS["uuid"],
        "source": {"enum": sorted(SOURCE_PREFIX + party for party in contract.parties)},
        "type": {"enum": types},
        "subject": {"type": "string", "format": "uuid", "pattern": CASE_ID, "description": "the case, a UUIDv4"},
        "time": _SCALARS["instant"],
        "datacontenttype": {"type": "string", "pattern": "^application/json(;.*)?$"},
        "dataschema": {"type": "string", "format": "uri-reference", "minLength": 1},
        "traceparent": {"type": "string", "minLength": 55, "maxLength": 55},
        "correlationid": _SCALARS["uuid"],
        "causationid": _SCALARS["uuid"],
        "data": {"type": "object"},
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:samspil:schema:{ENVELOPE}",
        "title": "An event as a party says it, in CloudEvents' structured mode",
        "type": "object",
        "properties": properties,
        "required": [*sorted(REQUIRED), "data"],
        "additionalProperties": False,
        "if": {"properties": {"type": {"enum": caseless}}},
        "then": {"properties": {"subject": False}},
        "else": {"required": ["subject"]},
    }


def _field_schema(contract: Contract, field: Field) -> Schema:
    written = field_type(field.type)
    schema = _scalar_schema(contract, written.scalar, written.values)
    if written.many:
        schema = {"type": "array", "items": schema, "minItems": 1, "uniqueItems": True}
    if written.optional:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "x-class": field.sensitivity, "$comment": CLASSES[field.sensitivity]}


def _scalar_schema(contract: Contract, scalar: str, values: tuple[str, ...]) -> Schema:
    if scalar == "enum":
        return {"type": "string", "enum": list(values)}
    if scalar == "party":
        return {"type": "string", "enum": sorted(contract.parties)}
    return dict(_SCALARS[scalar])
