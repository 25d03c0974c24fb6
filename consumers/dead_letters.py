"""What no step could judge, as a person who runs the bus sees it: coordinates, and whether it was tried again.

A letter is settled by a tombstone under its key, written when its record was submitted to judgement again.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from schemas import topics
from schemas.records import Inbound, Outbound


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Where a record stands that a step could not judge, and the class of the error."""

    topic: str
    partition: int
    offset: int
    step: str
    error: str

    @property
    def key(self) -> bytes:
        """The letter's key: the place."""
        return f"{self.topic}/{self.partition}/{self.offset}".encode()

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def open_letters(records: Iterable[Inbound]) -> tuple[DeadLetter, ...]:
    """Return the letters that nobody has settled, oldest first; a place that died again is open again."""
    letters: dict[bytes, DeadLetter] = {}
    for record in records:
        key = record.key or b""
        letters.pop(key, None)
        if record.value is not None:
            letters[key] = DeadLetter(**orjson.loads(record.value))
    return tuple(letters.values())


def settled(letter: DeadLetter) -> Outbound:
    """Return the record that settles a letter."""
    return Outbound(topics.DEAD, 0, letter.key, None)


def again(record: Inbound) -> Outbound:
    """Return a record as it was, to be judged at the end of its own partition."""
    return Outbound(record.topic, record.partition, record.key, record.value, record.headers)
