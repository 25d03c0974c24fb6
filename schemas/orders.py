"""What the data protection officer may order of a case: erase it, hold it, release the hold; and to close its files.

No party says an order and no recipient sees one: it is no event. It stands in the officer's own inbox, which nobody
else can write to, as one JSON value under a header of its own; ADMIT seals it and COORDINATE carries it out in the
case's turn, between its events. The answer stands on the officer's refusals topic, whichever it is.
"""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

from schemas.attributes import JSON
from schemas.envelope import Seal, source_of
from schemas.errors import MalformedError
from schemas.records import Headers, Inbound, Outbound
from schemas.topics import ADMITTED, inbox, partition_of
from schemas.value import Value, Written
from schemas.verdicts import Accepted, Refusal, answer
from schemas.vocabulary import CASE_ID, UUID

ORDERER = "dpo"
HEADER = "samspil-order"
# Why an order is not carried out. That a case was erased is told to the officer, and to nobody else.
HELD, NOT_HELD, UNKNOWN, GONE = "held", "not_held", "unknown_case", "erased"
REFUSED: Mapping[str, str] = {
    HELD: "a legal hold stands on the case.",
    NOT_HELD: "no hold stands on the case.",
    UNKNOWN: "there is no such case.",
    GONE: "the case was erased before.",
}

Reason = Literal["retention", "rejected_concern", "rights_request", "wrong_subject"]  # as the catalogue has them
Kind = Literal["erase", "hold", "release", "sweep"]

_ID, _CASE = re.compile(UUID), re.compile(CASE_ID)


class Order(Written, frozen=True):
    """An order: its id, what is to be done with which case; of an erasure the reason that its recipients are told.

    `sweep` changes nothing: it closes the files of the case's partition, so that Kafka can clear them. It may name any
    case of that partition, one that nobody ever heard of too.
    """

    id: str
    kind: Kind
    case: str
    reason: Reason | None = None


class Ordered(Value, frozen=True):
    """An order with its seal, as it stands on the admitted topic."""

    order: Order
    seal: Seal


_READ, _WRITE = Decoder(Order), Encoder(order="sorted")


def is_order(headers: Headers) -> bool:
    """Whether a record says that it is one."""
    return any(name == HEADER for name, _ in headers)


def is_sealed(headers: Headers) -> bool:
    """Whether a record that ADMIT wrote is an order: asked of each event, so by the place of the word alone."""
    return len(headers) > 1 and headers[1][0] == HEADER


def order_record(order: Order) -> Outbound:
    """Return the order as its officer sends it."""
    return Outbound(inbox(ORDERER), 0, order.case.encode(), _WRITE.encode(order), _headers(order))


def order_in(value: bytes | None) -> Order:
    """Return the order that these bytes are. Raises MalformedError, without a word of them."""
    try:
        order = _READ.decode(value or b"")
    except (DecodeError, ValueError):
        raise MalformedError("order") from None
    reasoned = (order.reason is not None) == (order.kind == "erase")
    if not (_ID.fullmatch(order.id) and _CASE.fullmatch(order.case) and reasoned):
        raise MalformedError("order")
    return order


def sealed_order(ordered: Ordered) -> Outbound:
    """Return the order on the admitted topic, in line with the events of its case."""
    order, seal = ordered.order, ordered.seal
    key = order.case.encode()
    place = {} if seal.inbox_offset is None else {"ce_inboxoffset": str(seal.inbox_offset)}
    said = {
        "ce_id": order.id,
        "ce_source": source_of(ORDERER),
        "ce_recordedtime": seal.recorded,
        "ce_salt": seal.salt,
        "ce_contract": seal.contract,
        **place,
    }
    headers = (*_headers(order), *((name, text.encode()) for name, text in said.items()))
    return Outbound(ADMITTED, partition_of(key), key, _WRITE.encode(order), headers)


def unsealed_order(record: Inbound) -> Ordered:
    """Return the order of a record that ADMIT wrote. Raises MalformedError, with coordinates only."""
    said = {name: raw.decode() for name, raw in record.headers}
    try:
        offset = int(said["ce_inboxoffset"]) if "ce_inboxoffset" in said else None
        seal = Seal(said["ce_recordedtime"], said["ce_salt"], said["ce_contract"], offset)
        return Ordered(order_in(record.value), seal)
    except (KeyError, ValueError, MalformedError):
        raise MalformedError(f"{record.topic}/{record.partition}@{record.offset}") from None


def carried_out(ordered: Ordered, *, before: bool = False) -> Outbound:
    """Return the answer that an order was carried out; `before`: it had been already."""
    return answer(ORDERER, Accepted(ordered.order.id, duplicate=before), ordered.seal.inbox_offset)


def not_carried_out(ordered: Ordered, reason: str) -> Outbound:
    """Return the answer that it was not, and why."""
    return answer(ORDERER, Refusal(ordered.order.id, reason), ordered.seal.inbox_offset)


def refusal(reason: str) -> str:
    """Return a reason in words. What is not among ours is a fault, and a dead letter says where."""
    return REFUSED.get(reason, f"the bus could not judge the order ({reason}); see: samspil dead list")


def _headers(order: Order) -> Headers:
    return (("content-type", JSON.encode()), (HEADER, order.kind.encode()))
