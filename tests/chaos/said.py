"""What was said and shown, as plain values read from the records of the log and of the views."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.records import Inbound
from tests.chaos.found import headers_of


@dataclass(frozen=True, slots=True)
class Said:
    """An accepted event as its log record has it. `before`: what its case's log had before it."""

    id: str
    party: str
    type: str
    case: str | None
    time: str
    recorded: str
    data: Mapping[str, Any]
    before: tuple["Said", ...] = ()

    @property
    def history(self) -> tuple["Said", ...]:
        """What the case's log has up to this event."""
        return (*self.before, self)


@dataclass(frozen=True, slots=True)
class Shown:
    """A view as its record has it."""

    recipient: str
    event: str
    type: str
    data: Mapping[str, Any]

    @property
    def all_refs(self) -> frozenset[str]:
        """The references in it, of this event and of earlier ones."""
        earlier = (ref for several in self.data["case_refs"].values() for ref in several)
        return frozenset([*self.data["refs"].values(), *earlier])


def said_of(record: Inbound, before: Iterable[Said] = ()) -> Said:
    headers = headers_of(record)
    return Said(
        headers["ce_id"],
        headers["ce_source"].rpartition(":")[2],
        _name(headers["ce_type"]),
        headers.get("ce_subject"),
        headers["ce_time"],
        headers["ce_recordedtime"],
        json.loads(record.value or b"null"),
        tuple(before),
    )


def shown_of(record: Inbound) -> Shown:
    headers = headers_of(record)
    return Shown(
        record.topic.split(".")[2],
        headers["ce_causationid"],
        _name(headers["ce_type"]),
        json.loads(record.value or b"{}"),
    )


def _name(type_: str) -> str:
    return type_.removeprefix("dk.samspil.").removesuffix(".v1")
