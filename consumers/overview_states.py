"""What the overview takes of the states of cases: who has yet to acknowledge a correction, and a legal hold.

The projector reads the whole state; of that the overview keeps party ids by correction, for the corrections that ku
itself knows of, and since when a hold stands. Nothing else of a state reaches its tables, and a state that says none of
it leaves no trace.
"""

import re
from datetime import UTC, datetime

from schemas.case import HOLD_PREFIX, Case, Hold, State
from schemas.overview_facts import Item, moment
from schemas.overview_waits import CORRECTION, HOLD, RECALLS, WAITING
from schemas.recalls import waiting
from schemas.records import Inbound
from schemas.state import decode
from schemas.vocabulary import CASE_ID

BUS = "bus"
_UNTIMED = datetime(1970, 1, 1, tzinfo=UTC)  # of what is no event
_CORRECTION = CORRECTION.encode()  # most states have none, and need not be read
_KEY = re.compile(rf"({re.escape(HOLD_PREFIX)})?({CASE_ID.strip('^$')})")


def case_of(record: Inbound) -> str | None:
    """Return the case whose state or hold a record is; None for what is of no case, as what a party says outside."""
    found = _KEY.fullmatch((record.key or b"").decode("ascii", "replace"))
    return found and found[2]


def item_of(record: Inbound) -> Item | None:
    """Return what a state or a hold tells the overview; None for nothing. Raises StateError."""
    raw, key = record.value, (record.key or b"").decode("ascii", "replace")
    if raw is None:
        return None
    if key.startswith(HOLD_PREFIX):
        return _hold(decode(raw), record.offset)
    return _recalls(decode(raw), record.offset) if _CORRECTION in raw else None


def _hold(state: State, place: int) -> Item | None:
    if not isinstance(state, Hold) or state.since is None:
        return None
    return Item(HOLD, HOLD, BUS, moment(state.since), place)


def _recalls(state: State, place: int) -> Item | None:
    told = waiting(state) if isinstance(state, Case) else {}
    return Item(RECALLS, RECALLS, BUS, _UNTIMED, place, {WAITING: told}) if told else None
