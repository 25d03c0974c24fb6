"""Passwords of the embedded Kafka and PostgreSQL: random, made once, readable by their owner alone."""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

ADMIN = "admin"  # super user of both servers
DATABASE = "samspil"  # the one database


def ensure(path: Path, principals: Iterable[str]) -> Mapping[str, str]:
    """The password of every principal; new principals get one, known ones keep theirs."""
    known = read(path) if path.exists() else {}
    passwords = {name: known.get(name) or secrets.token_urlsafe(24) for name in sorted({ADMIN, *principals})}
    if passwords != known:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(passwords, indent=1))
    return passwords


def read(path: Path) -> dict[str, str]:
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: there is no moment in which others can."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
