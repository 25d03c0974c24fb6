"""The vault's key file: hex, one key a line, the one in use first; made once for the embedded default, 0600."""

import os
from pathlib import Path

from consumers.vault_cipher import KEY_BYTES
from schemas.errors import MisconfiguredError


def ensure(path: Path) -> list[bytes]:
    """Return the keys, made at the first use. Raises MisconfiguredError for a file that others can read."""
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise MisconfiguredError(f"{path} must be readable by its owner alone (chmod 600).")
    try:
        keys = [bytes.fromhex(line) for line in path.read_text().split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise MisconfiguredError(f"{path} must hold keys of {KEY_BYTES} bytes in hex, one a line.")
    return keys


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(os.urandom(KEY_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())  # values sealed with a key that a power cut took are lost
    try:
        os.link(draft, path)  # whoever comes first wins
    except FileExistsError:
        return
    finally:
        draft.unlink()
