"""The states of one partition, as bytes. Its changelog is its truth.

Bytes, because a case as objects takes several times their size and most cases rest. Restored whole when
the partition is claimed, by reading samspil.cases.v1 to its end after the older owners were fenced.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas import state, topics
from schemas.case import Case, State
from schemas.contract import Contract, Contracts
from schemas.errors import StateError
from schemas.records import Headers
from schemas.terms import next_look
from streams.agenda import Agenda
from streams.batch import Kept

_POLL_MS = 200


class States:
    """What a step remembers. Changed only by `keep`, after the transaction that wrote the same."""

    def __init__(self, encoded: dict[str, bytes] | None = None, noted_by: Iterable[Contract] = ()) -> None:
        """`noted_by`: the contracts by whose terms the states say when they must be looked at."""
        self._encoded = encoded if encoded is not None else {}
        self._noted_by = tuple(noted_by)
        self._agenda = Agenda()
        for key, raw in self._encoded.items():
            with suppress(StateError):  # one that cannot be read must not keep its partition from being served
                self._agenda.note(key, state.next_look(raw))

    def __len__(self) -> int:
        return len(self._encoded)

    def get(self, key: str) -> State:
        """Return the state of a case or party, empty where nothing was accepted yet. Raises StateError."""
        encoded = self._encoded.get(key)
        return state.empty(key) if encoded is None else state.decode(encoded)

    def keep(self, changed: Mapping[str, Kept]) -> None:
        """Take over what was committed."""
        for key, kept in changed.items():
            if kept.encoded is None:
                self._encoded.pop(key, None)
            else:
                self._encoded[key] = kept.encoded
            self._agenda.note(key, kept.next)

    def due(self, now: str, most: int) -> list[str]:
        """Return the keys of cases that must be looked at by now, no more than `most`. Each is told once."""
        return self._agenda.due(now, most)

    def any_due(self, now: str, contract: Contract) -> bool:
        """Whether there are any: under a contract that keeps cases for another time than before, all of them are."""
        if any(noted.retention != contract.retention for noted in self._noted_by):
            for key in self._encoded:
                self._agenda.note(key, now)
        self._noted_by = (contract,)
        return self._agenda.any_due(now)

    def looked_at(self, keys: Iterable[str], now: str, contract: Contract) -> None:
        """Note when these cases must be looked at next, all having been said that was to be said of them by now."""
        for key in keys:
            with suppress(StateError):  # one that cannot be read was named as dead, and waits for its next claim
                found = self.get(key)
                self._agenda.note(key, next_look(contract, found, now) if isinstance(found, Case) else None)


async def restore(
    connection: Mapping[str, Any], partition: int, contracts: Contracts, moved: Callable[[], None] = lambda: None
) -> States:
    """Read a partition's states. Raises UnknownContractError when one was judged by a contract we do not hold.

    `moved` is called after each stage, and as the states are read on.
    """
    encoded: dict[str, bytes] = {}
    judged_by: set[Headers] = set()
    async for records in _changelog(connection, TopicPartition(topics.CASES, partition), moved):
        for record in records:
            key = record.key.decode()
            if record.value is None:
                encoded.pop(key, None)
            else:
                encoded[key] = record.value
                judged_by.add(record.headers)
    digests = sorted(dict(headers).get("ce_contract", b"").decode() for headers in judged_by)
    return States(encoded, [contracts.named(digest) for digest in digests])


async def _changelog(
    connection: Mapping[str, Any], place: TopicPartition, moved: Callable[[], None]
) -> AsyncIterator[list[ConsumerRecord]]:
    consumer = AIOKafkaConsumer(**connection, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    moved()
    try:
        reached = (await consumer.beginning_offsets([place]))[place]
        moved()
        end = (await consumer.end_offsets([place]))[place]
        moved()
        consumer.assign([place])
        # A plain seek: seek_to_beginning races with aiokafka's own reset, and would at times end at the end.
        consumer.seek(place, reached)
        # By position, not by record: compaction and transaction markers leave gaps, also at the end.
        while reached < end:
            records = (await consumer.getmany(place, timeout_ms=_POLL_MS)).get(place)
            if (at := await consumer.position(place)) > reached:
                reached = at
                moved()
            if records:
                yield records
    finally:
        await consumer.stop()
        moved()
