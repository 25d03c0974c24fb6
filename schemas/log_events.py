"""The log events that samspil may write, and the fields they may carry: allow-lists, never values of events."""

from enum import StrEnum


class LogEvent(StrEnum):
    """What may be logged. Each name says what happened."""

    SERVICE_STARTED = "service_started"  # a process is ready; service
    SERVICE_STOPPED = "service_stopped"  # a process ended in order; service
    PARTITION_CLAIMED = "partition_claimed"  # a worker owns a partition; step, topic, partition, offset, seconds
    PARTITION_REVOKED = "partition_revoked"  # a worker gave a partition up; step, topic, partition
    STEP_FAILED = "step_failed"  # I/O of a step failed, so the process ends; step, topic, partition, error
    PARTITION_STALLED = "partition_stalled"  # records wait, none is judged; topic, partition, offset, seconds
    CLAIM_STALLED = "claim_stalled"  # a partition is being claimed and gets no answer; topic, partition, seconds
    WORKER_STALLED = "worker_stalled"  # none of its partitions is claimed; name (the phase that lasts), seconds
    WATCH_BLIND = "watch_blind"  # a watchdog's looks begin to fail: they end nothing until one succeeds; error
    TICK_DELAYED = "tick_delayed"  # Kafka did not say where topics end: the next tick asks again; error
    EVENT_DEAD = "event_dead"  # a step could not judge a record; step, topic, partition, offset, error
    INBOX_TRUNCATED = "inbox_truncated"  # an inbox was emptied up to an offset; topic, offset
    BROKER_BUSY = "broker_busy"  # a record was not acknowledged in time, its sender was told so; topic, error
    LISTENER_LOST = "listener_lost"  # the connection that hears of verdicts is made anew; error
    REQUEST_FAILED = "request_failed"  # a request met a fault of ours; route, method, error
    VAULT_LOCKED = "vault_locked"  # a value could not be sealed or opened: its key is not to be had; error
    READ_CUT = "read_cut"  # a value of the vault was not taken in time, so its connection was cut; error
    ISSUER_KEYS_FETCHED = "issuer_keys_fetched"  # the OIDC issuer's keys were read; count
    ISSUER_KEYS_UNREACHABLE = "issuer_keys_unreachable"  # the OIDC issuer did not give its keys; error
    DATABASE_MIGRATED = "database_migrated"  # a migration was applied; name
    PROJECTION_RETRIES = "projection_retries"  # broker or database gone, tried again; name, error
    RECORD_SKIPPED = "record_skipped"  # a projection could not read a record; name, topic, partition, offset, error
    DEPOSITS_REMOVED = "deposits_removed"  # what nobody named, or whose term is over, left the vault; count
    REMOVAL_DELAYED = "removal_delayed"  # it was not to be done now, the next round tries again; error
    TOPIC_RECREATED = "topic_recreated"  # a topic ends before what was read of it: read again; name, topic, partition
    FEED_LOST = "feed_lost"  # the overview's listener lost its connection; error
    TRUNCATION_FAILED = "truncation_failed"  # inboxes were not cut; the next round tries again; count, error
    PROCESS_ENDED = "process_ended"  # a process gave up, its supervisor starts a fresh one; service, error
    STOP_TIMED_OUT = "stop_timed_out"  # a library did not end in time, the process ends anyway; service
    CLIENT_MESSAGE = "client_message"  # a library said something; logger, level only


FIELDS = frozenset(
    {
        "service",
        "step",
        "topic",
        "partition",
        "offset",
        "seconds",
        "error",  # name of an exception class, never its text
        "logger",
        "count",
        "status",
        "party",
        "route",
        "method",
        "name",
    }
)
