"""Whether all that was said up to now is judged, from where topics begin and end and where the workers go on.

An inbox is truncated once what is in it was admitted. Of the admitted topic the workers' group keeps how far it was
judged; before the end of what is committed there stands the marker that ended a transaction, which nobody judges.
(After a transaction that was given up stand more of them: then the next event of that partition is waited for.) No
record is read for this, so no right to read is needed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumers.runner import started
from deploy import clients
from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.errors import UnreachableError
from schemas.rights import WORKER_GROUP

PATIENCE = 20.0  # seconds that what was said may take to be judged
_MARKER = 1
_NOWHERE = -1
_LOOK_AGAIN = 0.2

Places = Mapping[TopicPartition, int]


class Judged:
    """Asks the broker, over clients of the moment."""

    def __init__(self, access: KafkaAccess, parties: Iterable[str], patience: float = PATIENCE) -> None:
        self._access = access
        self._inboxes = [TopicPartition(topics.inbox(party), 0) for party in sorted(parties)]
        self._admitted = [TopicPartition(topics.ADMITTED, number) for number in range(topics.PARTITIONS)]
        self._patience = patience

    async def __call__(self) -> bool:
        """Return whether all that was said before is judged, or is so within a moment. Raises UnreachableError."""
        try:
            async with (
                started(clients.consumer(self._access, "read_uncommitted")) as written,
                started(clients.consumer(self._access)) as committed,
                _admin(self._access) as admin,
                asyncio.timeout(self._patience),
            ):
                await self._wait(written, committed, admin)
        except TimeoutError:
            return False
        except (KafkaError, OSError) as error:
            raise UnreachableError(f"Kafka ({type(error).__name__}).") from None
        return True

    async def _wait(self, written: Any, committed: Any, admin: AIOKafkaAdminClient) -> None:
        said = await written.end_offsets(self._inboxes)
        await _until(lambda: written.beginning_offsets(self._inboxes), said)
        admitted = await written.end_offsets(self._admitted)
        # Where the committed part ends, all transactions before are over: there a marker stands before the end.
        ends = await _until(lambda: committed.end_offsets(self._admitted), admitted)
        oldest = await written.beginning_offsets(self._admitted)

        async def reached() -> Places:
            found = await admin.list_consumer_group_offsets(WORKER_GROUP, partitions=self._admitted)
            # None is told while the group's broker changes or starts: then nothing counts as judged yet.
            return {p: max(found[p].offset, oldest[p]) + _MARKER if p in found else _NOWHERE for p in self._admitted}

        await _until(reached, ends)


async def _until(ask: Callable[[], Awaitable[Places]], wanted: Places) -> Places:
    """Ask until every place is reached; return where they all are."""
    while True:
        found = await ask()
        if all(found[place] >= end for place, end in wanted.items()):
            return found
        await asyncio.sleep(_LOOK_AGAIN)


@asynccontextmanager
async def _admin(access: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**access.aiokafka())
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
