"""PostgreSQL cleared of what was deleted, and read for what is left of a case.

Deleting a row only hides it: its bytes stay in the table's file until they are overwritten, and in the write-ahead log.
So every table is written anew and the log's older files are let go. It is the owner's work, done rarely: each table is
locked for as long as its copy takes. The planner's samples would outlive their rows too: so no column that tells of a
case is sampled (consumers/sql/migrations/0031).
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files

import asyncpg

from consumers.kept_records import Ends
from deploy.erasing.remains import Looked, Needles
from schemas.errors import UnreachableError

_SQL = files("deploy") / "sql"
_WITHIN = 10.0
STUBS: Mapping[str, str] = {
    "readmodel.case_states": "the stub, as the read model has it",
    "vault.erased": "that no value is taken for it",
    "readmodel.overview_items": "that it was erased, as ku was told",
    "readmodel.overview_cases": "that it is shown no more",
}


async def owner(dsn: str) -> asyncpg.Connection:
    """Sign in as the database's owner. Raises UnreachableError."""
    try:
        return await asyncpg.connect(dsn, timeout=_WITHIN)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreachableError(f"PostgreSQL ({type(error).__name__}).") from None


async def behind(connection: asyncpg.Connection, ends: Ends) -> frozenset[str]:
    """Return the projections that have not read up to these ends."""
    rows = await connection.fetch((_SQL / "all_positions.sql").read_text())
    return frozenset(
        row["projection"] for row in rows if row["position"] < ends.get((row["topic"], row["partition"]), 0)
    )


async def clear(connection: asyncpg.Connection) -> None:
    """Leave nothing of deleted rows in the files. Raises UnreachableError where a table is not to be had."""
    try:
        for statement in ("patience.sql", "rewrite.sql", "next_wal.sql", "checkpoint.sql"):
            await connection.execute((_SQL / statement).read_text())
    except asyncpg.LockNotAvailableError:
        raise UnreachableError("PostgreSQL: a table is in use by a long transaction; run it again.") from None


async def in_database(connection: asyncpg.Connection, needles: Needles) -> list[Looked]:
    """Read every row of every table, and what the planner remembers of them."""
    statement = (_SQL / "rows_with.sql").read_text()
    inside = {row["place"]: row["hits"] for row in await connection.fetch(statement, sorted(needles.contents))}
    rows = await connection.fetch(statement, [needles.case])
    return [_looked(row["place"], row["rows"], row["hits"], inside.get(row["place"], 0)) for row in rows]


async def file_owners(connection: asyncpg.Connection) -> dict[str, str]:
    """Return which file below the data folder is of which table."""
    return {row["file"]: row["place"] for row in await connection.fetch((_SQL / "relation_files.sql").read_text())}


def _looked(place: str, rows: int, hits: int, inside: int) -> Looked:
    if hits and not inside and place in STUBS:
        return Looked(place, rows, "rows", stays=hits, why=STUBS[place])
    return Looked(place, rows, "rows", left=max(hits, inside))


def summed(looked: Iterable[Looked]) -> list[Looked]:
    """Return the places as they are told: one line for all in which nothing was found."""
    told = [place for place in looked if place.left or place.stays]
    empty = [place for place in looked if not (place.left or place.stays)]
    return [*told, Looked("other tables", sum(place.read for place in empty), "rows")]
