"""The newest state of each case, beside the vault: who reads a value is judged on it.

The topic is the state's own changelog, so this projection can be made again from its beginning at any time.

The stub of an erased case takes its values and its key out of the vault, in the transaction that also notes how far
was read. A read waits for that; so even where an old backup of the database came back, with values that were erased
since, none of them is given out before the stubs were read again.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from consumers.news import News
from schemas import topics
from schemas.outputs import MARK
from schemas.records import Inbound
from schemas.state import is_stub

_SQL = files(__package__) / "sql"
KEEP = (_SQL / "keep_case_states.sql").read_text()
FORGET = (_SQL / "forget_case_states.sql").read_text()
LOCK_ERASED = (_SQL / "vault_lock_erased.sql").read_text()
NOTE_ERASED = (_SQL / "vault_note_erased.sql").read_text()
ERASE = (_SQL / "vault_erase.sql").read_text()
ERASE_KEYS = (_SQL / "vault_erase_keys.sql").read_text()
SETTLE_SOON = (_SQL / "settle_soon.sql").read_text()
SETTLE_NOW = (_SQL / "settle_now.sql").read_text()
FORGET_ALL = (_SQL / "forget_all_case_states.sql").read_text()


class CaseStates:
    """Keeps the last state that a batch tells of each case."""

    name = "case_states"
    topics: tuple[str, ...] = (topics.CASES,)

    def __init__(self) -> None:
        """Nothing was kept yet."""
        self.kept = News()

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Write the states, in the caller's transaction; a tombstone removes one."""
        newest = {record.key.decode(): record for record in records if record.key is not None}
        newest.pop(MARK.decode(), None)
        # Of all records and not of the newest alone: what was once erased stays so.
        if erased := sorted({r.key.decode() for r in records if r.key and r.value and is_stub(r.value)}):
            await connection.execute(SETTLE_NOW)
            await _erase(connection, erased)
        else:
            # Verdicts wait for what is read here, and not for the disk: who reads sees rows and positions of one
            # commit, and a crash takes both back. What then tells a verdict is on the disk after what it waited for.
            await connection.execute(SETTLE_SOON)
        gone = [case for case, record in newest.items() if record.value is None]
        kept = {case: record for case, record in newest.items() if record.value is not None}
        if gone:
            await connection.execute(FORGET, gone)
        if kept:
            places = [record.partition for record in kept.values()]
            await connection.execute(KEEP, list(kept), places, [record.value for record in kept.values()])

    def committed(self) -> None:
        """Tell who waits that states were kept, or that their topic was read further."""
        self.kept.come()

    async def restart(self, connection: Any) -> None:
        """Forget everything: a case that the topic no longer holds must not open the vault."""
        await connection.execute(FORGET_ALL)


async def _erase(connection: Any, cases: Sequence[str]) -> None:
    # One statement after the other: each sees what deposits were made before the lock was given.
    await connection.execute(LOCK_ERASED, cases)
    await connection.execute(NOTE_ERASED, cases)
    await connection.execute(ERASE, cases)
    await connection.execute(ERASE_KEYS, cases)
