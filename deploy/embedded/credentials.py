"""Passwords of the embedded Kafka and PostgreSQL: random, made once, readable by their owner alone."""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

ADMIN = "admin"


def ensure(path: Path, principals: Iterable[str]) -> Mapping[str, str]:
    """The password of every principal; new principals get one, known ones keep theirs."""
    known = read(path) if path.exists() else {}
    passwords = {name: known.get(name) or secrets.token_urlsafe(24) for name in sorted({ADMIN, *principals})}
    if passwords != known:
        _write(path, passwords)
    return passwords


def read(path: Path) -> dict[str, str]:
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def _write(path: Path, passwords: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    # Created with its final mode: there is no moment in which others can read it.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(passwords, file, indent=1)
    draft.replace(path)
