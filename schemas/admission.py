"""Admission: whether a record is an event that its sender may say, judged without any state.

In the order of the catalogue, and the first failure is the reason: bad_envelope, too_large, not_your_source,
clock_ahead, unknown_type, not_a_publisher, schema. The answer points to known fields and repeats nothing of
the input.

Data that is not one JSON value, or says a key twice, fails `schema` at /data in both modes; only where it
keeps a structured event from being read at all is it the envelope that is bad.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from schemas import strict_json
from schemas.attributes import ATTRIBUTES, HEADER_PREFIX, REQUIRED, TRACE
from schemas.contract import Contract, EventType
from schemas.contract_words import ANYONE, PUBLISHER_ROLES
from schemas.envelope import SOURCE_PREFIX, TYPE_PREFIX, TYPE_SUFFIX, Admitted, Event, Seal, binary, source_of, type_of
from schemas.errors import MalformedError
from schemas.event_data import EventData
from schemas.events import EVENTS
from schemas.letter import opened
from schemas.records import Headers, Inbound
from schemas.topics import LOG
from schemas.verdicts import Refusal
from schemas.vocabulary import instant

MOST_DATA = 64 * 1024
MOST_AHEAD = timedelta(minutes=5)
MOST_PATHS = 20
# The headers of an event that the bus wrote: its attributes, its seal and, in the log, who is named as withheld.
_OURS = ATTRIBUTES.keys() - {"dataschema"} | {"recordedtime", "salt", "contract", "inboxoffset", "withheld"}
_SEALED = {header for header, _ in binary(dict.fromkeys(_OURS, ""))}
_NAME_OF = {type_of(name).encode(): name for name in EVENTS}
_TRACE = {HEADER_PREFIX + extension: extension for extension in TRACE}


def admit(  # noqa: PLR0911 - one return a reason, in the catalogue's order
    contract: Contract, party: str, headers: Headers, value: bytes | None, now: datetime
) -> Event | Refusal:
    """Return the event that a record is, or why it is none. `now` is the bus's clock. Never raises."""
    letter = opened(headers, value)
    if letter is None:
        return _refusal(None, "bad_envelope", [""])
    said = letter.attributes
    type_ = contract.types.get(_name(said.get("type", "")))
    faults = letter.faults | _faults(said, type_)
    id_ = said["id"] if "id" in said and "/id" not in faults else None
    if faults:
        return _refusal(id_, "bad_envelope", faults)
    data = letter.data or b""
    if len(data) > MOST_DATA:
        return _refusal(id_, "too_large", ["/data"])
    if party not in contract.parties or said["source"] != source_of(party):
        return _refusal(id_, "not_your_source", ["/source"])
    if instant(said["time"]) - MOST_AHEAD > now:
        return _refusal(id_, "clock_ahead", ["/time"])
    if type_ is None:
        return _refusal(id_, "unknown_type", ["/type"])
    if not _may_say(contract, party, type_):
        return _refusal(id_, "not_a_publisher", ["/type"])
    read = _read(EVENTS[type_.name], data, contract)
    if not isinstance(read, EventData):
        return _refusal(id_, "schema", read)
    trace = {name: said[name] for name in TRACE if name in said}
    return Event(said["id"], party, type_.name, said.get("subject"), said["time"], read, trace)


def _refusal(id_: str | None, reason: str, paths: Iterable[str]) -> Refusal:
    return Refusal(id_, reason, tuple(sorted(set(paths)))[:MOST_PATHS])


def _name(type_: str) -> str:
    """Return the catalogue's name in a CloudEvents type; one that no type has where it is none of ours."""
    if type_.startswith(TYPE_PREFIX) and type_.endswith(TYPE_SUFFIX):
        return type_[len(TYPE_PREFIX) : -len(TYPE_SUFFIX)]
    return ""


def _faults(said: dict[str, str], type_: EventType | None) -> set[str]:
    """Return pointers to attributes that are missing, superfluous or not well formed."""
    faults = {"/" + name for name, text in said.items() if not ATTRIBUTES[name](text)}
    faults |= {"/" + name for name in REQUIRED if name not in said}
    if type_ is not None and type_.has_case != ("subject" in said):
        faults.add("/subject")
    return faults


def _may_say(contract: Contract, party: str, type_: EventType) -> bool:
    """Whether this party may say this type at all; what a role may say only the case can tell."""
    names = {ANYONE, party, contract.parties[party].kind} | PUBLISHER_ROLES
    return not names.isdisjoint(type_.publishers)


def _read(model: type[EventData], data: bytes, contract: Contract) -> EventData | list[str]:
    """Return the data read by its model, or pointers to what the model does not take."""
    try:
        event = model.model_validate_json(data, context=contract.parties)
        strict_json.parse(data)  # afterwards: the model points at the field, but lets a key said twice pass
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        return [_pointer(model, detail["loc"]) for detail in errors]
    except MalformedError:
        return ["/data"]
    return event


def _pointer(model: type[EventData], place: Sequence[str | int]) -> str:
    """Return the pointer to a place in the data: a known field and the index in its list, else the data."""
    if not place or place[0] not in model.model_fields:
        return "/data"
    index = place[1:2] if len(place) > 1 and isinstance(place[1], int) else ()
    return "/".join(["/data", *(str(step) for step in (place[0], *index))])


def unseal(record: Inbound) -> Admitted:
    """Return the event of a record that the bus wrote. Raises MalformedError, with coordinates only."""
    try:
        return _unsealed(record)
    except (
        KeyError,
        ValueError,
    ):  # pydantic's and unicode's errors are ValueErrors, and would quote the record
        raise MalformedError(f"{record.topic}/{record.partition}@{record.offset}") from None


def _unsealed(record: Inbound) -> Admitted:
    raw = dict(record.headers)
    if len(raw) != len(record.headers) or not raw.keys() <= _SEALED or ("ce_withheld" in raw and record.topic != LOG):
        raise ValueError("a header twice, one that is not ours, or one that stands in the log alone")
    if (raw["ce_specversion"], raw["content-type"]) != (b"1.0", b"application/json"):
        raise ValueError("an attribute that has one value only has another")
    name = _NAME_OF[raw["ce_type"]]
    event = Event(
        id=raw["ce_id"].decode(),
        party=raw["ce_source"].decode().removeprefix(SOURCE_PREFIX),
        type=name,
        case=raw["ce_subject"].decode() if "ce_subject" in raw else None,
        time=raw["ce_time"].decode(),
        data=EVENTS[name].model_validate_json(record.value or b""),
        trace={extension: raw[header].decode() for header, extension in _TRACE.items() if header in raw},
    )
    offset = int(raw["ce_inboxoffset"]) if "ce_inboxoffset" in raw else None
    seal = Seal(raw["ce_recordedtime"].decode(), raw["ce_salt"].decode(), raw["ce_contract"].decode(), offset)
    return Admitted(event, seal)
