"""Every topic as data: who writes and reads it, how long it keeps what.

A party's own topics have one partition: one order of what a party said and of what it was told.
The bus's topics have N partitions, fixed for ever, since a case's partition follows from its id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

PARTITIONS = 12  # N: growing it would move cases; a v2 topic is the way
VAULT_PARTITION = PARTITIONS  # of the ledger: written by the vault alone

ADMITTED = "samspil.admitted.v1"
LOG = "samspil.log.v1"
CASES = "samspil.cases.v1"
LEDGER = "samspil.ledger.v1"
DEAD = "samspil.dead.v1"
STATISTICS = "samspil.statistics.v1"

# A truncated inbox may hold what a careless client wrote: its file is closed and gone within
# seconds (streams/sweep). The broker undoes any compression: what a party's client chose need not be one that ours can
# read, and a small batch must not become a large one in the worker.
_INBOX = {"file.delete.delay.ms": "1000", "segment.ms": "1000", "compression.type": "uncompressed"}
_DAY = 24 * 60 * 60 * 1000
# What was erased is gone a day after its tombstone, in files that are closed every six hours (streams/ticks.py).
# `samspil erase` lowers these for a while: each that it touches stands here, so that applying the topics restores it.
CLOSE_SECONDS = 6 * 60 * 60
_CLOSED = {"segment.ms": str(CLOSE_SECONDS * 1000), "file.delete.delay.ms": "60000"}
_CLEANED = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": str(_DAY),
    "delete.retention.ms": str(_DAY),
    "min.cleanable.dirty.ratio": "0.5",
    **_CLOSED,
}
_STATE_BYTES = str(4 * 1024 * 1024)  # a case of 1,000 events must fit in one record
_WORD = Struct("<I")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its name, number of partitions, purpose and broker settings."""

    name: str
    partitions: int
    purpose: str
    settings: tuple[tuple[str, str], ...]


def inbox(party: str) -> str:
    """Return the topic that a party says its events on."""
    return f"samspil.inbox.{party}.v1"


def is_inbox(topic: str) -> bool:
    """Whether a topic is a party's inbox, of this version."""
    return topic.count(".") == 3 and topic == inbox(party_of(topic))


def refusals(party: str) -> str:
    """Return the topic on which a party is told what was refused, or said twice."""
    return f"samspil.refusals.{party}.v1"


def views(party: str) -> str:
    """Return the topic of what a party may see."""
    return f"samspil.views.{party}.v1"


def party_of(topic: str) -> str:
    """Return the party that a party topic belongs to."""
    return topic.split(".")[2]


def partitions(topic: str) -> int:
    """Return how many partitions a topic has."""
    return {ADMITTED: PARTITIONS, LOG: PARTITIONS, CASES: PARTITIONS, LEDGER: PARTITIONS + 1}.get(topic, 1)


def _kept(days: int, **more: str) -> tuple[tuple[str, str], ...]:
    return _settings(**{"cleanup.policy": "delete", "retention.ms": str(days * _DAY)}, **more)


def _compacted(**more: str) -> tuple[tuple[str, str], ...]:
    return _settings(**_CLEANED, **more)


def _settings(**settings: str) -> tuple[tuple[str, str], ...]:
    # LogAppendTime: a publisher's timestamp must not age its own record out
    return tuple(sorted({"message.timestamp.type": "LogAppendTime", **settings}.items()))


def _party_topics(party: str) -> tuple[Topic, ...]:
    return (
        Topic(inbox(party), 1, "what this party says; truncated once admitted", _kept(7, **_INBOX)),
        Topic(refusals(party), 1, "what this party said and was refused", _kept(14)),
        Topic(
            views(party),
            1,
            "what this party may see",
            _settings(**{**_CLEANED, "cleanup.policy": "compact,delete", "retention.ms": str(14 * _DAY)}),
        ),
    )


def catalogue(parties: Iterable[str]) -> tuple[Topic, ...]:
    """Return all topics of a bus with these parties, sorted by name."""
    shared = (
        Topic(ADMITTED, PARTITIONS, "admitted events, by case", _kept(7, **_CLOSED)),
        Topic(LOG, PARTITIONS, "the record: accepted events", _compacted()),
        Topic(CASES, PARTITIONS, "the state of each case", _compacted(**{"max.message.bytes": _STATE_BYTES})),
        Topic(LEDGER, PARTITIONS + 1, "receipts of what was disclosed, withheld and read", _kept(5 * 365 + 2)),
        Topic(DEAD, 1, "coordinates of what no step could judge", _kept(365)),
        Topic(STATISTICS, 1, "the yearly release of counts, by year; each is made once", _compacted()),
    )
    own = (topic for party in parties for topic in _party_topics(party))
    return tuple(sorted((*shared, *own), key=lambda topic: topic.name))


@lru_cache(maxsize=8192)  # asked several times for each event
def partition_of(key: bytes) -> int:
    """Return the partition of a case or party id: Kafka's own murmur2, so that every client agrees."""
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def murmur2(data: bytes) -> int:
    """Return the 32-bit murmur2 hash that Kafka's default partitioner uses (seed 0x9747b28c)."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for (word,) in _WORD.iter_unpack(data[:whole]):
        k = word * m & mask
        h = (h * m & mask) ^ ((k ^ (k >> 24)) * m & mask)
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)
