"""The log events that samspil may write, and the fields they may carry: allow-lists, never values of events."""

from enum import StrEnum


class LogEvent(StrEnum):
    """What may be logged. Each name says what happened."""

    SERVICE_STARTED = "service_started"  # a process is ready; service
    SERVICE_STOPPED = "service_stopped"  # a process ended in order; service
    PARTITION_CLAIMED = "partition_claimed"  # a worker owns a partition; step, topic, partition, offset, seconds
    PARTITION_REVOKED = "partition_revoked"  # a worker gave a partition up; step, topic, partition
    STEP_FAILED = "step_failed"  # I/O of a step failed, so the process ends; step, topic, partition, error
    EVENT_DEAD = "event_dead"  # a step could not judge a record; step, topic, partition, offset, error
    INBOX_TRUNCATED = "inbox_truncated"  # an inbox was emptied up to an offset; topic, offset
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
