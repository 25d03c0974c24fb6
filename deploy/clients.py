"""Clients of Kafka and PostgreSQL as each service uses them: made in one place, so that none forgets a safety.

Writers are idempotent with acks=all; readers see committed records only and belong to no group.
"""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumers.kept_records import Isolation
from deploy.kafka_access import KafkaAccess
from streams.paced_consumer import PacedConsumer

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


def consumer(access: KafkaAccess, isolation: Isolation = "read_committed", *, pace: float = 0.0) -> AIOKafkaConsumer:
    """Return a consumer of committed records, to be assigned by hand; a lost place is an error.

    Read uncommitted, it only tells where partitions end. `pace`: seconds from one fetch to the next.
    """
    return PacedConsumer(
        **access.aiokafka(),
        pace=pace,
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation,
        auto_offset_reset="none",
        request_timeout_ms=REQUEST_MS,
    )


async def pool(dsn: str, size: int = 10) -> asyncpg.Pool:
    """Return an open pool of connections of one role. Its statements leave nothing behind in a session."""
    return await asyncpg.create_pool(
        dsn, min_size=1, max_size=size, timeout=_CONNECT_WITHIN, command_timeout=_CONNECT_WITHIN, reset=_as_it_is
    )


async def _as_it_is(_: object) -> None:
    """Spare the statement that undoes what a session keeps, at each return; an open transaction is ended before."""


async def connection(dsn: str) -> asyncpg.Connection:
    """Return a single connection, for one that listens."""
    return await asyncpg.connect(dsn, timeout=_CONNECT_WITHIN)
