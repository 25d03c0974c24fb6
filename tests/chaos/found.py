"""What a check is given: the topics as a read_committed reader has them, and what the publishers know."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.records import Inbound, Outbound
from tests.chaos.journal import Acknowledged
from tests.chaos.lives import Line

Records = tuple[Inbound, ...]  # partition by partition, in order of offsets


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that the bus wrote. `verdicts`: what the table tells of an event, by party and id."""

    log: Records
    refusals: Records
    dead: Records
    views: Records
    ledger: Records
    cases: Records
    verdicts: Mapping[tuple[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Journal:
    """What one publisher meant to say, in this order, and what it was acknowledged."""

    party: str
    lines: tuple[Line, ...]
    acknowledged: tuple[Acknowledged, ...]
    over_http: bool = False


def headers_of(record: Inbound) -> dict[str, str]:
    """Return a record's headers as text."""
    return {name: raw.decode() for name, raw in record.headers}


def outbound(record: Inbound) -> Outbound:
    """Return a record as whoever wrote it made it."""
    return Outbound(record.topic, record.partition, record.key, record.value, record.headers)


def place(record: Inbound) -> str:
    """Return where a record stands, in words."""
    return f"{record.topic}/{record.partition}@{record.offset}"
