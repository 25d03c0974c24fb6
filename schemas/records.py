"""Kafka records as the pure steps see them: what came in with its coordinates, what is to go out.

These, and the other values that judging makes by the dozen for each event, are msgspec structs: making one takes
0.2 microseconds, a frozen dataclass of as many fields 1.4 (2 cores, Python 3.11).
"""

from typing import TypeAlias

from msgspec import Struct

Headers: TypeAlias = tuple[tuple[str, bytes], ...]


class Inbound(Struct, frozen=True):
    """A record read from a topic, with its coordinates."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outbound(Struct, frozen=True):
    """A record to be written; a value of None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
