"""Another key-encryption key for the keys of all cases, while the vault is in use.

Keys are read, wrapped anew and replaced in small statements, each only where it is still what was read: nothing is
locked meanwhile, and an erasure is not undone. A rotation that was interrupted is finished by the next. An older
key-encryption key is given up only where none is wrapped by it, at a moment when nobody wraps.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import asyncpg

from consumers.case_keys import KEYS, CaseKeys, UnknownKeyError, Wrapped
from consumers.vault_cipher import UnopenableError
from schemas.errors import SamspilError

_SQL = files(__package__) / "sql"
BEGIN = (_SQL / "vault_begin_rotation.sql").read_text()
TO_REWRAP = (_SQL / "vault_keys_to_rewrap.sql").read_text()
REWRAP = (_SQL / "vault_rewrap_keys.sql").read_text()
LOCK = (_SQL / "vault_lock_keys.sql").read_text()
LEFT = (_SQL / "vault_keys_left.sql").read_text()

BATCH = 100
_AT_ONCE = 4  # a command is a process each

Told = Callable[[int], None]


class RotationUnderWayError(SamspilError):
    """Another rotation of the vault's keys is under way."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: keys wrapped anew, and keys that are still wrapped by older key-encryption keys."""

    key_id: str
    rewrapped: int
    left: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """Wraps the keys of all cases by the key-encryption key in use."""

    connection: asyncpg.Connection
    keys: CaseKeys
    renew: Callable[[], Awaitable[None]]  # takes a new key-encryption key into use, where that is ours to do
    give_up: Callable[[str], Awaitable[None]]  # all key-encryption keys but this one

    async def run(self, told: Told) -> Rotated:
        """Rotate; `told` hears how many are done. Raises RotationUnderWayError, KeyUnavailableError."""
        if not await self.connection.fetchval(BEGIN, KEYS):
            raise RotationUnderWayError
        await self.renew()
        target = await self.keys.keeper.current()
        rewrapped = 0
        while True:
            before = rewrapped
            rewrapped = await self._pass(target, before, told)
            left = await self._settle(target)
            if not left or rewrapped == before:  # what is left does not open, or is new: it is for another run
                return Rotated(target, rewrapped, left)

    async def _pass(self, target: str, done: int, told: Told) -> int:
        after = ""
        while rows := await self.connection.fetch(TO_REWRAP, target, after, BATCH):
            after = rows[-1]["case"]
            done += await self._rewrap(target, rows)
            told(done)
        return done

    async def _rewrap(self, target: str, rows: Sequence[Any]) -> int:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def anew(row: Any) -> tuple[str, bytes, bytes] | None:
            async with turn:
                try:
                    key = await self.keys.unwrapped(row["case"], Wrapped(row["key_id"], row["wrapped"]))
                except (UnknownKeyError, UnopenableError):
                    return None
                return row["case"], row["wrapped"], (await self.keys.wrapped(row["case"], key, target)).text

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(anew(row)) for row in rows]
        except ExceptionGroup as failed:  # the first to fail ended the others
            raise failed.exceptions[0] from None
        made = [found for task in tasks if (found := task.result()) is not None]
        if not made:
            return 0
        cases, before, text = zip(*made, strict=True)
        return len(await self.connection.fetch(REWRAP, target, cases, before, text))

    async def _settle(self, target: str) -> int:
        async with self.connection.transaction():
            await self.connection.execute(LOCK, KEYS)
            left = int(await self.connection.fetchval(LEFT, target))
            if not left:
                await self.give_up(target)
        return left
