"""The bus's clock: the wall, or (for demonstrations and tests) the newest event time seen."""

from datetime import UTC, datetime, time

from schemas.contract import CITY, Contracts


class WallClock:
    """The time of day."""

    follows = False

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def observe(self, time: datetime) -> None:
        """Take no notice: events do not move the time of day."""


class EventsClock:
    """Follows the newest event time seen, and never runs back. Starts where the first contract does."""

    follows = True

    def __init__(self, contracts: Contracts, newest: datetime | None = None) -> None:
        """`newest`: the last time the bus recorded, so that a restart does not turn the clock back."""
        floor = datetime.combine(contracts.first.valid_from, time(), CITY)
        self._now = max(floor, newest or floor).astimezone(UTC)

    def now(self) -> datetime:
        """Return the newest time seen, in UTC."""
        return self._now

    def observe(self, time: datetime) -> None:
        """Move on to the time of an event, if it is later."""
        self._now = max(self._now, time.astimezone(UTC))


Clock = WallClock | EventsClock
