"""Kafka records as the pure steps see them: what came in with its coordinates, what is to go out."""

from typing import TypeAlias

from schemas.value import Value

Headers: TypeAlias = tuple[tuple[str, bytes], ...]


class Inbound(Value, frozen=True):
    """A record read from a topic, with its coordinates."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outbound(Value, frozen=True):
    """A record to be written; a value of None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
