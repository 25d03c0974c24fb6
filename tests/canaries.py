"""Values that must be found nowhere: planted under a name each, and sought in files, tables and answers.

A canary is plain lower-case ASCII, so that headers, JSON and addresses all keep it as it is; it is also sought in the
forms in which a program may keep text: upper case, UTF-16, hexadecimal, base64.
"""

import base64
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_NUMBER = 4  # hexadecimal digits
CPRS = ("251248-9996", "150981-9996", "291182-9996", "021122-3989")  # published for tests


@dataclass(slots=True)
class Canaries:
    """The canaries of one run: a stem that nothing else contains, and where each was planted."""

    stem: str = field(default_factory=lambda: "kanarie" + secrets.token_hex(8))
    planted: list[str] = field(default_factory=list)

    def at(self, place: str) -> str:
        """Return a new canary, to be planted at that place."""
        self.planted.append(place)
        return f"{self.stem}{len(self.planted) - 1:0{_NUMBER}x}"

    @property
    def needles(self) -> tuple[bytes, ...]:
        """Every form of the stem, and of the numbers of the test persons."""
        numbers = (text for cpr in CPRS for text in (cpr, cpr.replace("-", "")))
        return (*dict.fromkeys(forms(self.stem)), *(number.encode() for number in numbers))

    def in_bytes(self, held: bytes) -> list[str]:
        """Return what of them is in some bytes, by where it was planted."""
        return [self._named(needle, held) for needle in self.needles if needle in held]

    def _named(self, needle: bytes, held: bytes) -> str:
        numbered = re.search(re.escape(self.stem.encode()) + rb"([0-9a-f]{%d})" % _NUMBER, held)
        if needle != self.stem.encode() or numbered is None:
            return f"a form of one ({needle[:12]!r})"
        number = int(numbered[1], 16)
        return self.planted[number] if number < len(self.planted) else "one cut short"

    def in_files(self, folder: Path) -> list[str]:
        """Return what of them is in the files below a folder, with the file."""
        return [f"{path}: {name}" for path, held in contents(folder) for name in self.in_bytes(held)]


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Read every file below a folder; one that is deleted meanwhile is none."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield path.relative_to(folder), path.read_bytes()
        except FileNotFoundError:
            continue


def found(folder: Path, texts: Iterable[str]) -> list[str]:
    """Return which files below a folder hold one of these texts as it is."""
    needles = [text.encode() for text in texts]
    return [str(path) for path, held in contents(folder) if any(needle in held for needle in needles)]


def forms(text: str) -> Iterator[bytes]:
    """Return the forms in which a program may keep a text, wherever in a longer one it stands."""
    raw = text.encode()
    yield from (raw, text.upper().encode(), text.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode())
    for shift in range(3):  # base64 takes three bytes at a time: what a neighbour shares a digit with is left out
        first = (8 * shift + 5) // 6
        last = 8 * (shift + len(raw)) // 6
        yield base64.b64encode(b"\0" * shift + raw + b"\0\0")[first:last]
