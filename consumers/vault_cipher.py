"""Encryption of deposits at rest: AES-256-GCM with the key of their case, each bound to what it was deposited for.

A sealed value that is moved to another reference, party, case or field does not open.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.vault_padding import PaddingError, padded, unpadded
from schemas.canonical import canonical
from schemas.errors import SamspilError
from schemas.may_read import Deposit

_NONCE_BYTES = 12


class UnopenableError(SamspilError):
    """A deposit does not open: it was changed, its key is not here, or it is of before cases had keys (up --fresh)."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value at rest."""

    content_type: str
    nonce: bytes
    text: bytes = field(repr=False)


def sealed(key: bytes, deposit: Deposit, content_type: str, value: bytes) -> Sealed:
    """Return the value as it is kept. `key`: the case's, 32 bytes."""
    nonce = os.urandom(_NONCE_BYTES)
    return Sealed(content_type, nonce, AESGCM(key).encrypt(nonce, padded(value), _bound(deposit, content_type)))


def unsealed(key: bytes, deposit: Deposit, kept: Sealed) -> bytes:
    """Return the value. Raises UnopenableError."""
    try:
        return unpadded(AESGCM(key).decrypt(kept.nonce, kept.text, _bound(deposit, kept.content_type)))
    except (InvalidTag, PaddingError):
        raise UnopenableError from None


def _bound(deposit: Deposit, content_type: str) -> bytes:
    return canonical(["samspil vault", deposit.ref, deposit.party, deposit.case, deposit.field, content_type])
