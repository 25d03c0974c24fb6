"""Encryption of deposits at rest: AES-256-GCM, each value bound to what it was deposited for.

A sealed value that is moved to another reference, party, case or field does not open. Keys carry an id, so
that a new one can come in while values under the older ones stay readable.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.canonical import canonical
from schemas.errors import MisconfiguredError, SamspilError
from schemas.may_read import Deposit

KEY_BYTES = 32
_NONCE_BYTES = 12


class UnopenableError(SamspilError):
    """A deposit does not open: it was changed, or its key is not here."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value at rest."""

    content_type: str
    key_id: str
    nonce: bytes
    text: bytes = field(repr=False)


def key_id(key: bytes) -> str:
    """Return a name for a key that tells nothing about it."""
    return hashlib.sha256(b"samspil vault key id" + key).hexdigest()[:16]


class VaultCipher:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take keys of 32 bytes, the one in use first. Raises MisconfiguredError."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise MisconfiguredError("The vault needs keys of 32 bytes.")
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._in_use = key_id(keys[0])

    def seal(self, deposit: Deposit, content_type: str, value: bytes) -> Sealed:
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(deposit, content_type, self._in_use)
        return Sealed(content_type, self._in_use, nonce, self._ciphers[self._in_use].encrypt(nonce, value, bound))

    def open(self, deposit: Deposit, sealed: Sealed) -> bytes:
        """Return the value. Raises UnopenableError."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise UnopenableError
        try:
            return cipher.decrypt(sealed.nonce, sealed.text, _bound(deposit, sealed.content_type, sealed.key_id))
        except InvalidTag:
            raise UnopenableError from None


def _bound(deposit: Deposit, content_type: str, key: str) -> bytes:
    return canonical([deposit.ref, deposit.party, deposit.case, deposit.field, content_type, key])
