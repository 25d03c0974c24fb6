"""A part of the bus that can be audited by itself: what belongs to some of its partitions.

Partition p of the log, of the ledger and of the cases are about the same cases and parties, and a view is about the
one that it names. So an audit of everything is the sum of the audits of its shares, whatever their number. Each record
belongs to one share, however strange it is; only a tombstone among the views says nothing of its case, and is
everybody's: it counts where the log leads to the view that it took out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from consumers.audit.evidence import about
from schemas import topics
from schemas.records import Headers

MOST = topics.PARTITIONS  # more shares would have no log
_EVERY = range(topics.VAULT_PARTITION + 1)
_KEYED = frozenset({topics.LOG, topics.LEDGER, topics.CASES})
Place = tuple[str, int]


class Placed(Protocol):
    """A record, read here or still a client's."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Headers: ...


@dataclass(frozen=True, slots=True)
class Share:
    """The partitions of a share, the vault's among the ledger's."""

    partitions: frozenset[int]

    def takes(self, record: Placed) -> bool:
        """Whether a record is to be looked at here."""
        if record.topic in _KEYED:
            return record.partition in self.partitions
        return record.value is None or home_of(about(record.headers)) in self.partitions

    def has(self, place: Place) -> bool:
        """Whether a partition holds anything that may be of this share."""
        topic, partition = place
        return topic not in _KEYED or partition in self.partitions


EVERYTHING = Share(frozenset(_EVERY))


def home_of(key: str | None) -> int:
    """Return the partition of a case or party; what names none is put where an empty key would be."""
    return topics.partition_of((key or "").encode())


def shares(number: int) -> tuple[Share, ...]:
    """Return as many shares that together are everything, each about as large."""
    return tuple(Share(frozenset(_EVERY[first::number])) for first in range(number))


def places_of(topic: str) -> Iterable[Place]:
    """Return all partitions of a topic."""
    return ((topic, partition) for partition in range(topics.partitions(topic)))
