"""The vault's key file: made once for the embedded default, 0600, and never anything but 32 random bytes."""

import os
from pathlib import Path

from consumers.vault_cipher import KEY_BYTES
from schemas.errors import MisconfiguredError


def ensure(path: Path) -> bytes:
    """Return the key, made at the first use. Raises MisconfiguredError for a file that others can read."""
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise MisconfiguredError(f"{path} must be readable by its owner alone (chmod 600).")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise MisconfiguredError(f"{path} must hold {KEY_BYTES} bytes.")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(KEY_BYTES))
        os.fsync(file.fileno())  # values sealed with a key that a power cut took are lost
    try:
        os.link(draft, path)  # whoever comes first wins
    except FileExistsError:
        pass
    finally:
        draft.unlink()
