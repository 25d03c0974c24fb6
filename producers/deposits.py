"""What the gateway may know of the vault: which references a party deposited for a case, and for which field."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from uuid import UUID

import asyncpg

DEPOSITED = (files(__package__) / "sql" / "deposited.sql").read_text()


def lookup(pool: asyncpg.Pool) -> Callable[[str, str, list[UUID]], Awaitable[dict[UUID, str]]]:
    """Return the question over the gateway's own role, which sees no value."""

    async def deposited(party: str, case: str, refs: list[UUID]) -> dict[UUID, str]:
        rows = await pool.fetch(DEPOSITED, refs, party, case)
        return {row["ref"]: row["field"] for row in rows}

    return deposited
