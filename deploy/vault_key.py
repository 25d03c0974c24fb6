"""The vault's key-encryption keys in a file: hex, one a line, the one in use first; made once, readable by its owner.

The file is read at each use. So a key that comes into use by a rotation is used at once, by every process that sees the
file; and it must be one file, or the same in all its copies before a rotation begins.
"""

import asyncio
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.case_keys import KEY_BYTES, Keeper, KeyUnavailableError, UnknownKeyError, Wrapped
from consumers.vault_cipher import UnopenableError
from deploy.key_command import KeyCommand
from schemas.errors import MisconfiguredError

_NONCE_BYTES = 12


def keeper(path: Path, command: str | None) -> Keeper:
    """Return who keeps the keys: the command, where there is one. Raises MisconfiguredError."""
    return KeyFile(path) if command is None else KeyCommand(command)


def ensured(path: Path, command: str | None) -> Keeper:
    """Return who keeps the keys; the file is made at its first use. Raises MisconfiguredError.

    That is said of a file that holds no keys, or that others can read.
    """
    if command is None:
        if not path.exists():
            _make(path)
        read(path)
    return keeper(path, command)


def read(path: Path) -> list[bytes]:
    """Return the keys, the one in use first. Raises MisconfiguredError, OSError."""
    if path.stat().st_mode & 0o077:
        raise MisconfiguredError(f"{path} must be readable by its owner alone (chmod 600).")
    try:
        keys = [bytes.fromhex(line) for line in path.read_text().split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise MisconfiguredError(f"{path} must hold keys of {KEY_BYTES} bytes in hex, one a line.")
    return keys


def key_id(key: bytes) -> str:
    """Return a name for a key that tells nothing about it."""
    return hashlib.sha256(b"samspil vault key id" + key).hexdigest()[:16]


class KeyFile:
    """Wraps with the keys of a file: AES-256-GCM, the key's id authenticated with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def current(self) -> str:
        return next(iter(await self._keys()))

    async def wrap(self, key_id: str, secret: bytes) -> Wrapped:
        nonce = os.urandom(_NONCE_BYTES)
        return Wrapped(key_id, nonce + (await self._cipher(key_id)).encrypt(nonce, secret, key_id.encode()))

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        cipher = await self._cipher(wrapped.key_id)
        nonce, text = wrapped.text[:_NONCE_BYTES], wrapped.text[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, text, wrapped.key_id.encode())
        except (InvalidTag, ValueError):  # of a nonce that is too short
            raise UnopenableError from None

    async def renew(self) -> None:
        """Take a new key into use; where the file holds several, a rotation is not over and the first of them stays.

        Raises MisconfiguredError.
        """
        keys = await asyncio.to_thread(self._read)
        if len(keys) == 1:
            await asyncio.to_thread(self._write, [os.urandom(KEY_BYTES), *keys])

    async def keep_only(self, key_id_: str) -> None:
        """Give up every key but one. Raises MisconfiguredError."""
        keys = await asyncio.to_thread(self._read)
        kept = [key for key in keys if key_id(key) == key_id_]
        if kept and kept != keys:
            await asyncio.to_thread(self._write, kept)

    async def _cipher(self, key_id: str) -> AESGCM:
        key = (await self._keys()).get(key_id)
        if key is None:
            raise UnknownKeyError(key_id)
        return AESGCM(key)

    async def _keys(self) -> dict[str, bytes]:
        try:
            keys = await asyncio.to_thread(read, self._path)
        except (OSError, MisconfiguredError) as error:
            raise KeyUnavailableError(type(error).__name__) from None
        return {key_id(key): key for key in keys}

    def _read(self) -> list[bytes]:
        try:
            return read(self._path)
        except OSError as error:
            raise MisconfiguredError(f"{self._path} cannot be read ({type(error).__name__}).") from None

    def _write(self, keys: list[bytes]) -> None:
        place = self._path.resolve()
        draft = place.with_name(f"{place.name}.{os.getpid()}")
        owner = place.stat()
        try:
            _write_new(draft, keys)
            if os.geteuid() == 0:
                os.chown(draft, owner.st_uid, owner.st_gid)  # who could read it before still can
            draft.replace(place)
            _settle(place.parent)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise MisconfiguredError(f"{self._path} cannot be written ({type(error).__name__}).") from None


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    _write_new(draft, [os.urandom(KEY_BYTES)])
    try:
        os.link(draft, path)  # whoever comes first wins
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _write_new(path: Path, keys: list[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(key.hex() + "\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())  # what is wrapped by a key that a power cut took is lost


def _settle(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
