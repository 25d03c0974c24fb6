"""The database's shape and rights: roles, migrations, grants, applied by its owner at every start.

Own migrator, some lines long: numbered SQL files, each once, all in one transaction. The tools of that kind
bring a second configuration and a second way to name the database.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg
import structlog

from schemas.errors import MisconfiguredError, UnreachableError
from schemas.log_events import LogEvent

ROLES = ("gateway", "vault", "projector", "overview", "statistics")
PACKAGES = ("producers", "consumers")

_SQL = files(__package__) / "sql"
_CONNECT_WITHIN = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's shape."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return all migrations in their order: by number, whichever package they are in."""
    found = [
        Migration(f"{package}/{file.name}", file.read_text())
        for package in PACKAGES
        for file in _sql_files(files(package) / "sql" / "migrations")
    ]
    return sorted(found, key=lambda migration: (_number(migration), migration.name))


def _sql_files(folder: Traversable) -> Iterator[Traversable]:
    return (file for file in folder.iterdir() if file.name.endswith(".sql"))


def _number(migration: Migration) -> int:
    return int(migration.name.partition("/")[2].partition("_")[0])


async def prepare(owner: str, passwords: Mapping[str, str]) -> None:
    """Bring the database behind the owner's DSN to its shape: roles with these passwords, tables, rights.

    Raises UnreachableError, or MisconfiguredError where an applied migration has been changed.
    """
    try:
        connection = await asyncpg.connect(owner, timeout=_CONNECT_WITHIN)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise UnreachableError(f"PostgreSQL ({type(error).__name__})") from None
    try:
        async with connection.transaction():
            await connection.execute((_SQL / "migrations.sql").read_text())
            await _ensure_roles(connection, passwords)
            await _migrate(connection)
            await connection.execute((_SQL / "grants.sql").read_text())
    finally:
        await connection.close()


async def _ensure_roles(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    statement = (_SQL / "role_statement.sql").read_text()
    for role in ROLES:
        await connection.execute(await connection.fetchval(statement, role, passwords[role]))


async def _migrate(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch((_SQL / "applied_migrations.sql").read_text())
    applied = {row["name"]: row["digest"] for row in rows}
    for migration in migrations():
        known = applied.get(migration.name)
        if known is None:
            await connection.execute(migration.sql)
            await connection.execute((_SQL / "note_migration.sql").read_text(), migration.name, migration.digest)
            log.info(LogEvent.DATABASE_MIGRATED, name=migration.name)
        elif known != migration.digest:
            raise MisconfiguredError(f"The migration {migration.name} was changed after it had been applied.")
