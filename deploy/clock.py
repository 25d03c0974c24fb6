"""The bus's clock: the wall, or (for demonstrations and tests) the newest event time seen."""

import time as time_of_day
from datetime import UTC, datetime, time, timedelta

from schemas.contract import CITY, Contracts

# Longer than ADMIT's transactions may take (streams/transactions.py): what it stamped before then is there or is gone.
_SETTLES_AFTER = timedelta(seconds=15)
_QUIET_SECONDS = 1.0


class WallClock:
    """The time of day."""

    follows = False

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def observe(self, time: datetime) -> None:
        """Take no notice: events do not move the time of day."""

    def settled(self) -> datetime:
        """Return a time before which nothing is still on its way through ADMIT."""
        return self.now() - _SETTLES_AFTER


class EventsClock:
    """Follows the newest event time seen, and never runs back. Starts where the first contract does."""

    follows = True

    def __init__(self, contracts: Contracts, newest: datetime | None = None) -> None:
        """`newest`: the last time the bus recorded, so that a restart does not turn the clock back."""
        floor = datetime.combine(contracts.first.valid_from, time(), CITY)
        self._now = max(floor, newest or floor).astimezone(UTC)
        self._settled, self._moved = self._now, time_of_day.monotonic()

    def now(self) -> datetime:
        """Return the newest time seen, in UTC."""
        return self._now

    def observe(self, time: datetime) -> None:
        """Move on to the time of an event, if it is later."""
        if time > self._now:
            self._now, self._moved = time.astimezone(UTC), time_of_day.monotonic()

    def settled(self) -> datetime:
        """Return the newest time at which the clock has stood for a moment."""
        if time_of_day.monotonic() - self._moved >= _QUIET_SECONDS:
            self._settled = self._now
        return self._settled


Clock = WallClock | EventsClock
