"""The key of each case: 256 random bits that are kept only wrapped, by a key-encryption key kept outside the database.

Whoever has the database, or a copy of it, opens nothing with that alone; and an erased case's key goes with its values.
No key stays in memory: each use asks the keeper again, so none outlives its row, and a running process needs no word of
a new key-encryption key. What is wrapped says whose key it is: a key moved to another case is none there.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Protocol

from consumers.vault_cipher import UnopenableError
from schemas.errors import SamspilError

_SQL = files(__package__) / "sql"
FIND = (_SQL / "vault_case_key.sql").read_text()
KEEP = (_SQL / "vault_keep_case_key.sql").read_text()
LOCK_SHARED = (_SQL / "vault_lock_keys_shared.sql").read_text()

KEY_BYTES = 32
KEYS = 1_397_576_529  # the class of these among the database's advisory locks


class KeyUnavailableError(SamspilError):
    """The vault's key-encryption key cannot be used now:"""


class UnknownKeyError(SamspilError):
    """This key-encryption key is not here:"""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret, wrapped by the key-encryption key of that id."""

    key_id: str
    text: bytes = field(repr=False)


class Keeper(Protocol):
    """Who keeps the key-encryption keys. Raises KeyUnavailableError where it cannot be asked."""

    async def current(self) -> str:
        """Return the id of the key-encryption key in use."""

    async def wrap(self, key_id: str, secret: bytes) -> Wrapped:
        """Wrap a secret. Raises UnknownKeyError."""

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """Return the secret. Raises UnknownKeyError; UnopenableError where it was changed."""


@dataclass(frozen=True, slots=True)
class CaseKeys:
    """Finds and makes the keys of cases."""

    keeper: Keeper

    async def of(self, connection: Any, case: str) -> bytes | None:
        """Return a case's key; None where it has none. Raises UnopenableError, KeyUnavailableError."""
        for _ in range(2):  # a rotation may give a key-encryption key up after the row was read
            row = await connection.fetchrow(FIND, case)
            if row is None:
                return None
            try:
                return await self.unwrapped(case, Wrapped(row["key_id"], row["wrapped"]))
            except UnknownKeyError:
                continue
        raise UnopenableError

    async def ensured(self, connection: Any, case: str) -> bytes:
        """Return a case's key, made where it has none, in the caller's transaction, which has the case locked.

        Raises UnopenableError, KeyUnavailableError.
        """
        return await self.of(connection, case) or await self._made(connection, case)

    async def wrapped(self, case: str, key: bytes, key_id: str) -> Wrapped:
        """Return a case's key, wrapped."""
        return await self.keeper.wrap(key_id, key + _whose(case))

    async def unwrapped(self, case: str, wrapped: Wrapped) -> bytes:
        """Return a case's key. Raises UnknownKeyError, UnopenableError, KeyUnavailableError."""
        secret = await self.keeper.unwrap(wrapped)
        key, whose = secret[:KEY_BYTES], secret[KEY_BYTES:]
        if len(key) != KEY_BYTES or not hmac.compare_digest(whose, _whose(case)):
            raise UnopenableError
        return key

    async def _made(self, connection: Any, case: str) -> bytes:
        # From here until it is committed no key-encryption key is given up, so what wraps this one stays.
        await connection.execute(LOCK_SHARED, KEYS)
        key = os.urandom(KEY_BYTES)
        try:
            made = await self.wrapped(case, key, await self.keeper.current())
        except UnknownKeyError as error:  # another key-encryption key came into use meanwhile
            raise KeyUnavailableError(error.detail) from None
        if await connection.fetchval(KEEP, case, made.key_id, made.text):
            return key
        return await self.of(connection, case) or await self._made(connection, case)


def _whose(case: str) -> bytes:
    return hashlib.sha256(b"samspil case key " + case.encode()).digest()
