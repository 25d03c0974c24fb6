"""What a publisher knows to be acknowledged, on disk before it goes on: it may be killed between any two lines.

What a kill left half written is cut off when the journal is opened again: that much was not known.
"""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

QUEUE_FULL, INTERNAL_ERROR = "queue full", "answered 500"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One event that the bus answered for. Over HTTP no offset is told; `refused`: by the gateway itself."""

    party: str
    id: str
    case: str | None
    offset: int | None = None
    refused: bool = False


class Journal:
    """Appends lines that stay."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _mend(path)
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    def acknowledged(self, known: Acknowledged) -> None:
        self._write(asdict(known))

    def note(self, what: str) -> None:
        """Remember that something happened which is no acknowledgement."""
        self._write({"note": what})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())


class Reader:
    """Reads what a journal gained since it was last looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.notes: Counter[str] = Counter()

    def news(self) -> list[Acknowledged]:
        """Return the acknowledgements of whole new lines."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._read += len(whole) + 1
        lines = [json.loads(line) for line in whole.split(b"\n")]
        self.notes.update(line["note"] for line in lines if "note" in line)
        return [Acknowledged(**line) for line in lines if "note" not in line]


def read(path: Path) -> list[Acknowledged]:
    """Return all that a journal holds."""
    return Reader(path).news()


def _mend(path: Path) -> None:
    if path.exists():
        raw = path.read_bytes()
        os.truncate(path, len(raw.rpartition(b"\n")[0]) + 1 if b"\n" in raw else 0)
