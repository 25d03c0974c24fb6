"""Receipts as the auditor reads them: which event and recipient one is about, and what a vault read must say."""

import re
from typing import Any

import msgspec
import orjson

from consumers.audit.evidence import Mark, Stored, key_of, mark
from schemas.canonical import canonical
from schemas.contract import Contracts
from schemas.errors import UnknownContractError
from schemas.records import Inbound
from schemas.value import Value
from schemas.views import Receipt
from schemas.vocabulary import INSTANT

_NAMES = frozenset(Receipt.__struct_fields__)
_INSTANT = re.compile(INSTANT)


class Identity(Value, frozen=True):
    """What there is one receipt for: an event of a case (or of a party's own), and a recipient."""

    partition: int
    key: str | None
    event: str | None
    recipient: str | None


class Slip(Value, frozen=True):
    """A receipt found in the ledger, with the digest of the view it speaks of."""

    mark: Mark
    identity: Identity
    view_digest: str | None


class _Named(Value, frozen=True):
    """Of a receipt's body what tells it from others: the rest need not be read of each."""

    event: Any = None
    recipient: Any = None
    view_digest: Any = None


_NAMED = msgspec.json.Decoder(_Named)


def slip_of(stored: Stored) -> Slip:
    record = stored.record
    named = _named(record)
    key = key_of(record)
    identity = Identity(record.partition, key, _text(named.event), _text(named.recipient))
    return Slip(mark(stored, key), identity, _text(named.view_digest))


def _named(record: Inbound) -> _Named:
    try:
        return _NAMED.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Named()


def is_read(record: Inbound, contracts: Contracts) -> bool:
    """Whether the record is a well-formed receipt of a vault read, allowed or refused."""
    body = read(record)
    if not is_receipt(body) or record.value != canonical(body):
        return False
    time = _INSTANT.fullmatch(body["time"])
    return body["outcome"] in {"read", "read_refused"} and time is not None and _known(contracts, body["contract"])


def is_receipt(body: dict[str, Any]) -> bool:
    """Whether a body has all the parts of a receipt, and each of the kind that it must be."""
    return (
        body.keys() == _NAMES
        and all(_is_words(body[name]) for name in ("rules", "fields", "refs"))
        and all(isinstance(body[name], str) for name in ("recipient", "outcome", "time", "contract"))
        and all(body[name] is None or isinstance(body[name], str) for name in ("event", "subject", "actor"))
        and isinstance(body["failed"], dict)
    )


def read(record: Inbound) -> dict[str, Any]:
    """Return a ledger record's body; empty where it is no JSON object."""
    try:
        body = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _known(contracts: Contracts, digest: str) -> bool:
    try:
        contracts.named(digest)
    except UnknownContractError:
        return False
    return True


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
