"""The newest state of each case, beside the vault: who reads a value is judged on it.

The topic is the state's own changelog, so this projection can be made again from its beginning at any time.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from schemas import topics
from schemas.records import Inbound

_SQL = files(__package__) / "sql"
KEEP = (_SQL / "keep_case_states.sql").read_text()
FORGET = (_SQL / "forget_case_states.sql").read_text()
FORGET_ALL = (_SQL / "forget_all_case_states.sql").read_text()


class CaseStates:
    """Keeps the last state that a batch tells of each case."""

    name = "case_states"
    topics: tuple[str, ...] = (topics.CASES,)

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Write the states, in the caller's transaction; a tombstone removes one."""
        newest = {record.key.decode(): record for record in records if record.key is not None}
        gone = [case for case, record in newest.items() if record.value is None]
        kept = {case: record for case, record in newest.items() if record.value is not None}
        if gone:
            await connection.execute(FORGET, gone)
        if kept:
            places = [record.partition for record in kept.values()]
            await connection.execute(KEEP, list(kept), places, [record.value for record in kept.values()])

    async def restart(self, connection: Any) -> None:
        """Forget everything: a case that the topic no longer holds must not open the vault."""
        await connection.execute(FORGET_ALL)
