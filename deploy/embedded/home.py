"""The folder of one embedded default: whose it is, whether somebody runs it, and what it says of itself.

Who runs a home holds a lock on a file in it, which says its process id; the lock goes with its process, however
that ends, so a crash never leaves a home that looks as if it were running.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import AlreadyRunningError, MisconfiguredError

_MARK = ".samspil-home"
_LOCK = "up.lock"
_RUN = "run.json"
_KEPT_WHEN_FRESH = {_MARK, _LOCK}
NEEDED_BYTES = 500 * 1024 * 1024

PartState = Literal["starting", "ready", "waiting", "failed", "stopped"]


class Part(BaseModel):
    """One process of the stack, as last seen. `waiting`: it ended, and is started again after a pause."""

    model_config = ConfigDict(frozen=True)
    state: PartState
    pid: int | None = None
    restarts: int = 0


class Run(BaseModel):
    """What run.json says: how to reach a running stack, and how its parts are."""

    model_config = ConfigDict(frozen=True)
    pid: int
    ports: Mapping[str, int]
    clock: str
    since: str
    url: str
    state: Literal["starting", "ready", "stopping", "stopped"]
    parts: Mapping[str, Part] = {}
    demonstration: Literal["none", "playing", "played", "failed"] = "none"


class Home:
    """A home folder by its path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ensure(self) -> None:
        """Make it, private to its owner. A folder with anything else in it is refused."""
        if self.path.exists() and any(self.path.iterdir()) and not (self.path / _MARK).exists():
            raise MisconfiguredError(f"{self.path} is no samspil home: set SAMSPIL_HOME to a new or empty folder.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            (self.path / _MARK).touch()
        except OSError as error:
            raise MisconfiguredError(f"{self.path} cannot be made: {error.strerror}.") from error

    def ensure_for(self, folder: Path) -> None:
        """Make it, where a folder is about to be made in it: the home must not begin as a part of itself."""
        if folder.absolute().is_relative_to(self.path) and not folder.exists():
            self.ensure()

    def require_room(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            raise MisconfiguredError(
                f"the disk of {self.path} is nearly full: {free >> 20} MB are free, {NEEDED_BYTES >> 20} MB are needed."
            )

    def wipe(self) -> None:
        """Everything in it but what makes it a home. Only its runner does this, holding the lock."""
        for entry in self.path.iterdir():
            if entry.name in _KEPT_WHEN_FRESH:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the one who runs this home."""
        with (self.path / _LOCK).open("a+") as lock:  # what the present holder wrote stays
            if not _locked(lock, fcntl.LOCK_EX):
                where = f"{self.path}: see samspil status, or stop it with samspil down."
                raise AlreadyRunningError(where)
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def is_running(self) -> bool:
        if not (self.path / _LOCK).exists():
            return False
        with (self.path / _LOCK).open("a+") as lock:
            return not _locked(lock, fcntl.LOCK_SH)  # shared: two who ask do not take each other for a runner

    def holder(self) -> int | None:
        """Return the process that runs it now; None when none does, or it has not yet said which it is."""
        if not self.is_running():
            return None
        said = (self.path / _LOCK).read_text().strip()
        return int(said) if said.isdecimal() else None

    def present_run(self) -> Run | None:
        """What the run that goes on says of itself; None when there is none, or it has only just begun."""
        run, holder = self.last_run(), self.holder()
        return run if run is not None and run.pid == holder else None

    def last_run(self) -> Run | None:
        """What the newest run said of itself, whether or not it still runs."""
        try:
            return Run.model_validate_json((self.path / _RUN).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def note(self, run: Run) -> None:
        """Replace run.json at once, so that a reader never sees half of it."""
        draft = self.path / f"{_RUN}.{os.getpid()}"
        draft.write_text(run.model_dump_json(indent=1))
        draft.replace(self.path / _RUN)


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
