"""A case's state as bytes: canonical JSON without what is empty, so that states compare and stay small.

A state read back is the state written, or StateError: what cannot be read is never judged on. Whom an event was shown
to is read, and refused, when it is asked for (schemas/shown.py).
"""

import re
from collections.abc import Mapping

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder, Encoder

from schemas.case import (
    HOLD_PREFIX,
    Case,
    Chain,
    Consent,
    Due,
    Erased,
    Hold,
    Measure,
    Meeting,
    Said,
    Screening,
    State,
    Transfer,
    Utterances,
)
from schemas.errors import StateError
from schemas.value import Value, Written
from schemas.vocabulary import CASE_ID

VERSION = 2
_CASE_ID = re.compile(CASE_ID)
# How each kind but a case begins, its keys being sorted: no case has these before its own `case`.
_OF_A_PARTY, _OF_AN_ERASED, _OF_A_HOLD = b'{"party":', b'{"at":', b'{"held":'


class _Case(Written, frozen=True):
    """A case as it is written: what was said is a list, since its order is the log's."""

    v: int
    case: str
    relative: bool = False
    owner: str | None = None
    screening: Screening | None = None
    closed: bool = False
    said: list[tuple[str, Said]] = field(default_factory=list)
    meetings: Mapping[str, Meeting] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    acknowledged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    due: tuple[Due, ...] = ()
    newest: str | None = None
    over: str | None = None
    erase_from: str | None = None
    next: str | None = None
    receipts: Chain | None = None


class _Next(Struct, frozen=True):
    """Of a state, when it must be looked at again: the rest is passed over."""

    next: str | None = None


class _Utterances(Value, frozen=True, forbid_unknown_fields=True):
    """What a party said outside cases, as it is written: each id with its withheld parties after it."""

    v: int
    party: str
    said: list[tuple[str, ...]]


# `sorted` gives what RFC 8785 asks for, for the values a state has (see canonical.py); a test compares.
_ENCODER = Encoder(order="sorted")
_READ_CASE, _READ_UTTERANCES = Decoder(_Case), Decoder(_Utterances)
_READ_ERASED, _READ_HOLD = Decoder(Erased), Decoder(Hold)
_READ_NEXT = Decoder(_Next)


def empty(key: str) -> State:
    """Return the state before any event: of a case (its id), a party (what it says outside cases) or a hold."""
    if key.startswith(HOLD_PREFIX):
        return Hold(key.removeprefix(HOLD_PREFIX))
    return Case(key) if _CASE_ID.fullmatch(key) else Utterances(key)


def encode(state: State) -> bytes:
    """Return the state's canonical bytes."""
    match state:
        case Case():
            return _ENCODER.encode(_case(state))
        case Utterances():
            return _ENCODER.encode(_utterances(state))
        case _:
            return _ENCODER.encode(state)


def decode(raw: bytes) -> State:
    """Return the state that these bytes are. Raises StateError."""
    try:
        return _read(raw)
    except (DecodeError, ValueError) as error:
        raise StateError(type(error).__name__) from None


def is_stub(raw: bytes) -> bool:
    """Whether a state's bytes are those of an erased case."""
    return raw.startswith(_OF_AN_ERASED)


def next_look(raw: bytes) -> str | None:
    """Return when a state must be looked at again, without reading the rest of it. Raises StateError."""
    try:
        return _READ_NEXT.decode(raw).next
    except (DecodeError, ValueError) as error:
        raise StateError(type(error).__name__) from None


def _read(raw: bytes) -> State:
    if raw.startswith(_OF_AN_ERASED):
        return _READ_ERASED.decode(raw)
    if raw.startswith(_OF_A_HOLD):
        return _READ_HOLD.decode(raw)
    return _utterances_from(raw) if raw.startswith(_OF_A_PARTY) else _case_from(raw)


def _utterances(state: Utterances) -> _Utterances:
    return _Utterances(VERSION, state.party, [(id_, *withheld) for id_, withheld in state.said.items()])


def _utterances_from(raw: bytes) -> Utterances:
    written = _READ_UTTERANCES.decode(raw)
    _require_version(written.v)
    return Utterances(written.party, {id_: tuple(withheld) for id_, *withheld in written.said})


def _case(case: Case) -> _Case:
    return _Case(
        VERSION,
        case.id,
        case.relative,
        case.owner,
        case.screening,
        case.closed,
        [*case.said.items()],
        case.meetings,
        case.consents,
        case.measures,
        case.transfers,
        case.acknowledged,
        case.due,
        case.newest,
        case.over,
        case.erase_from,
        case.next,
        case.receipts,
    )


def _case_from(raw: bytes) -> Case:
    written = _READ_CASE.decode(raw)
    _require_version(written.v)
    return Case(
        written.case,
        written.relative,
        written.owner,
        written.screening,
        written.closed,
        dict(written.said),
        written.meetings,
        written.consents,
        written.measures,
        written.transfers,
        written.acknowledged,
        written.due,
        written.newest,
        written.over,
        written.erase_from,
        written.next,
        written.receipts,
    )


def _require_version(version: int) -> None:
    if version != VERSION:
        raise StateError("version")
