"""Clients of Kafka and PostgreSQL as each service uses them: made in one place, so that none forgets a safety.

Writers are idempotent with acks=all; readers see committed records only and belong to no group.
"""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumers.kept_records import Isolation
from deploy.kafka_access import KafkaAccess

MOST_RECORD = 4 * 1024 * 1024
REQUEST_MS = 10_000
_CONNECT_WITHIN = 10.0


def producer(access: KafkaAccess) -> AIOKafkaProducer:
    """Return a producer whose acknowledgement means: on every in-sync replica, once."""
    return AIOKafkaProducer(
        **access.aiokafka(),
        acks="all",
        enable_idempotence=True,
        linger_ms=2,  # a little company in each request; a single event does not notice
        request_timeout_ms=REQUEST_MS,
        max_request_size=MOST_RECORD,
    )


def consumer(access: KafkaAccess, isolation: Isolation = "read_committed") -> AIOKafkaConsumer:
    """Return a consumer of committed records, to be assigned by hand; a lost place is an error.

    Read uncommitted, it only tells where partitions end.
    """
    return AIOKafkaConsumer(
        **access.aiokafka(),
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation,
        auto_offset_reset="none",
        request_timeout_ms=REQUEST_MS,
    )


async def pool(dsn: str, size: int = 10) -> asyncpg.Pool:
    """Return an open pool of connections of one role."""
    return await asyncpg.create_pool(
        dsn, min_size=1, max_size=size, timeout=_CONNECT_WITHIN, command_timeout=_CONNECT_WITHIN
    )


async def connection(dsn: str) -> asyncpg.Connection:
    """Return a single connection, for one that listens."""
    return await asyncpg.connect(dsn, timeout=_CONNECT_WITHIN)
