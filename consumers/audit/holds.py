"""The legal holds that stand, as the states' topic tells of them."""

from collections.abc import Iterable

from consumers.audit.evidence import Stored
from schemas import state
from schemas.case import HOLD_PREFIX, Hold


def holds_in(states: Iterable[Stored]) -> list[Hold]:
    """Return them by case: of each key the newest record counts. Raises StateError."""
    found: dict[bytes, Hold | None] = {}
    for stored in states:
        key, value = stored.record.key or b"", stored.record.value
        if key.startswith(HOLD_PREFIX.encode()):
            held = state.decode(value) if value else None
            found[key] = held if isinstance(held, Hold) else None
    return sorted((hold for hold in found.values() if hold is not None), key=lambda hold: hold.held)
