"""Records packed into the client's batches as they are made, in the order of each partition.

Packed, a record is its bytes in a buffer and nothing else; only a full batch waits as it is for its transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.errors import UnsendableError
from schemas.records import Outbound

BATCH_BYTES = 512 * 1024  # well under a broker's usual limit of 1 MiB a batch
_ENVELOPE = 1024  # bytes of a record's key and headers, about the most

Place: TypeAlias = tuple[str, int]


class Packing:
    """What one transaction writes, as far as it is known."""

    def __init__(self, new_batch: Callable[[], BatchBuilder]) -> None:
        """`new_batch`: the client's own way to make one."""
        self._new_batch = new_batch
        self._rows: dict[Place, _Row] = {}

    def add(self, outputs: Iterable[Outbound]) -> None:
        """Pack records. Raises UnsendableError."""
        rows = self._rows
        for record in outputs:
            place = (record.topic, record.partition)
            row = rows.get(place)
            if row is None:
                row = rows[place] = _Row(self._new_batch)
            row.add(record)

    def batches(self) -> Mapping[Place, list[BatchBuilder]]:
        """Return the batches of each partition, closed, in the order in which they must be sent."""
        return {place: row.closed() for place, row in self._rows.items()}


class _Row:
    """One partition's batches: of a size that every topic takes; a larger record goes alone."""

    __slots__ = ("_batches", "_new_batch", "_open", "_size")

    def __init__(self, new_batch: Callable[[], BatchBuilder]) -> None:
        self._new_batch = new_batch
        self._open, self._size = new_batch(), 0
        self._batches = [self._open]

    def add(self, record: Outbound) -> None:
        weight = len(record.value or b"") + _ENVELOPE
        if self._size and self._size + weight > BATCH_BYTES:
            self._open, self._size = self._new_batch(), 0
            self._batches.append(self._open)
        self._size += weight
        added = self._open.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
        if added is None:
            raise UnsendableError(record.topic)

    def closed(self) -> list[BatchBuilder]:
        for batch in self._batches:
            batch.close()
        return self._batches
