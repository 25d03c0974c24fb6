"""What goes from the vault though its case stays: deposits that nobody named, and facts whose meeting is long over.

A deposit whose event is still on its way must not go. So a removal takes the bus's time first, then asks whether all
that was said before is judged, then whether the read model shows it; only then does it look, case by case, with the
case locked against deposits. Where the bus stands still or is behind, nothing goes. A legal hold stops it, also
one that was ordered since: before it is done, the end of the case's partition is asked once more.

What an event was once found to name is marked, and not looked for again.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import takewhile
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from consumers.case_states import LOCK_ERASED, CaseStates
from consumers.runner import STORED
from schemas import state, topics
from schemas.case import HOLD_PREFIX, Case, hold_key
from schemas.contract import Contract
from schemas.errors import SamspilError, StateError
from schemas.log_events import LogEvent
from schemas.periods import end_of
from schemas.retention import FACTS, expired

_SQL = files(__package__) / "sql"
UNNAMED = (_SQL / "vault_unnamed.sql").read_text()
CASES_WITH = (_SQL / "vault_cases_with.sql").read_text()
STATES = (_SQL / "case_states_of.sql").read_text()
LIMIT_WAIT = (_SQL / "vault_limit_wait.sql").read_text()
NOTE_NAMED = (_SQL / "vault_note_named.sql").read_text()
REMOVE_UNNAMED = (_SQL / "vault_remove_unnamed.sql").read_text()
REMOVE_EXPIRED = (_SQL / "vault_remove_expired.sql").read_text()
FORGET_KEY = (_SQL / "vault_forget_unused_key.sql").read_text()

DEPOSITS = "deposits"  # what retention calls them
GRACE = timedelta(minutes=15)  # beyond the term: what was said at its very end has reached the bus
PAGE = 500
LOCKED_WITHIN = "2s"
SHOWN_WITHIN = 2.0  # seconds
_LOOK_AGAIN = 0.02
_VAULT_PREFIX = "vault:"

log = structlog.get_logger()


class BehindError(SamspilError):
    """The case is held since, or the read model does not show what happened to it."""


@dataclass(frozen=True, slots=True)
class VaultRemoval:
    """Removes, over the projector's PostgreSQL role."""

    pool: asyncpg.Pool
    judged: Callable[[], Awaitable[bool]]  # whether all that was said before the question is judged
    ends: Callable[[], Awaitable[Mapping[int, int]]]  # of the cases topic, transactions under way included

    async def run(self, now: datetime, contract: Contract) -> int | None:
        """Remove what is over at this time of the bus, under the contract of that time; return how many.

        None: the bus or the read model is behind, so nothing was done; ask again. Raises UnreachableError.
        """
        if not await self.judged() or not await self._shown(await self.ends()):
            return None
        removed = await self._unnamed(now, contract) + await self._expired(now, contract)
        if removed:
            log.info(LogEvent.DEPOSITS_REMOVED, count=removed)
        return removed

    async def _shown(self, ends: Mapping[int, int]) -> bool:
        """Whether the read model shows all up to these ends, now or in a moment: on a busy bus it is just behind."""
        until = time.monotonic() + SHOWN_WITHIN
        while True:
            rows = await self.pool.fetch(STORED, CaseStates.name)
            positions = {row["partition"]: row["position"] for row in rows}
            if all(positions.get(partition, 0) >= end for partition, end in ends.items()):
                return True
            if time.monotonic() > until:
                return False
            await asyncio.sleep(_LOOK_AGAIN)

    async def _unnamed(self, now: datetime, contract: Contract) -> int:
        rule = contract.kept.get(DEPOSITS)
        removed = 0
        while rule is not None:
            rows = await self.pool.fetch(UNNAMED, PAGE, HOLD_PREFIX)
            due = takewhile(lambda row: end_of(row["deposited_at"], rule.keep) + GRACE <= now, rows)
            done = [await self._look_for(case, refs) for case, refs in _by_case(due)]
            removed += sum(found for found in done if found is not None)
            if len(rows) < PAGE or not any(found is not None for found in done):
                break
        return removed

    async def _look_for(self, case: str, refs: Sequence[UUID]) -> int | None:
        """Remove those of a case's deposits that no event names, and mark the others; None where it cannot be done."""

        async def remove(connection: Any, named: frozenset[UUID]) -> int:
            await connection.execute(NOTE_NAMED, [ref for ref in refs if ref in named])
            return len(await connection.fetch(REMOVE_UNNAMED, case, [ref for ref in refs if ref not in named]))

        return await self._locked(case, lambda connection, found: remove(connection, _named(found)))

    async def _expired(self, now: datetime, contract: Contract) -> int:
        removed = 0
        for row in await self.pool.fetch(CASES_WITH, FACTS, HOLD_PREFIX):
            try:
                over = _over(_decoded(row), contract, now)
            except StateError as error:  # of this case alone
                log.warning(LogEvent.REMOVAL_DELAYED, error=type(error).__name__)
                continue
            if over:
                removed += await self._expire(row["case_id"], now, contract) or 0
        return removed

    async def _expire(self, case: str, now: datetime, contract: Contract) -> int | None:
        async def remove(connection: Any, found: Case | None) -> int:
            return len(await connection.fetch(REMOVE_EXPIRED, case, FACTS, _over(found, contract, now)))

        return await self._locked(case, remove)

    async def _locked(self, case: str, remove: Callable[[Any, Case | None], Awaitable[int]]) -> int | None:
        """Do it to a case that nobody deposits for meanwhile, as it stands then, unless it is held."""
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await connection.execute(LIMIT_WAIT, LOCKED_WITHIN)
                await connection.execute(LOCK_ERASED, [case])
                rows = {row["case_id"]: row for row in await connection.fetch(STATES, [case, hold_key(case)])}
                if hold_key(case) in rows:
                    return None
                removed = await remove(connection, _decoded(rows[case]) if case in rows else None)
                await connection.execute(FORGET_KEY, case)
                await self._require_free(connection, case)
                return removed
        except (asyncpg.LockNotAvailableError, StateError, BehindError) as error:
            log.warning(LogEvent.REMOVAL_DELAYED, error=type(error).__name__)
            return None

    async def _require_free(self, connection: Any, case: str) -> None:
        """Take nothing away where a hold was ordered since the last look. Raises BehindError."""
        home = topics.partition_of(case.encode())
        shown = await self._shown({home: (await self.ends())[home]})
        if not shown or await connection.fetch(STATES, [hold_key(case)]):
            raise BehindError


def _by_case(rows: Iterable[Any]) -> Iterator[tuple[str, list[UUID]]]:
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        found[row["case"]].append(row["ref"])
    yield from found.items()


def _decoded(row: Any) -> Case | None:
    found = state.decode(bytes(row["state"]))
    return found if isinstance(found, Case) else None


def _named(case: Case | None) -> frozenset[UUID]:
    return _uuids(ref for said in case.said.values() for ref in said.refs.values()) if case else frozenset()


def _over(case: Case | None, contract: Contract, now: datetime) -> frozenset[UUID]:
    return _uuids(expired(contract, case, now)) if case else frozenset()


def _uuids(refs: Iterable[str]) -> frozenset[UUID]:
    return frozenset(UUID(ref.removeprefix(_VAULT_PREFIX)) for ref in refs)
