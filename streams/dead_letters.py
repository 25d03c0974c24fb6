"""What no step could judge, as coordinates: where it stands, never what it says.

The publisher is told `internal`; whoever runs the bus finds the record by its place and can judge it again.
"""

import re

from schemas.canonical import canonical
from schemas.records import Headers, Inbound, Outbound
from schemas.topics import DEAD
from schemas.verdicts import Refusal
from schemas.vocabulary import UUID
from streams.batch import Dead

INTERNAL = "internal"
_UUID = re.compile(UUID)


def dead(step: str, record: Inbound, error: Exception) -> Dead:
    """Name the record by its place and the error by its class: its text could hold a value."""
    return Dead(step, record.topic, record.partition, record.offset, type(error).__name__)


def letter(dead_: Dead) -> Outbound:
    """Return the dead letter's record."""
    place = {"topic": dead_.topic, "partition": dead_.partition, "offset": dead_.offset}
    key = f"{dead_.topic}/{dead_.partition}/{dead_.offset}".encode()
    return Outbound(DEAD, 0, key, canonical({**place, "step": dead_.step, "error": dead_.error}))


def refusal(headers: Headers) -> Refusal:
    """Return what the publisher is told; the id only where it is one, since the rest was not judged."""
    said = (dict(headers).get("ce_id") or b"").decode("ascii", "replace")
    return Refusal(said if _UUID.fullmatch(said) else None, INTERNAL)
