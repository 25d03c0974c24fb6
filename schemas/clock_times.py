"""Instants of the bus's own clock, in one form: UTC, microseconds, Z. So they compare as text, in seals and states."""

from datetime import UTC, datetime


def rfc3339(time: datetime) -> str:
    """Return an instant as seals and states write it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
