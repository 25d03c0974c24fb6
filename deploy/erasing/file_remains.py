"""The files of the embedded default read byte by byte: what neither server would show, as deleted rows, old segments.

Only where Kafka and PostgreSQL run in the home of this command; on other machines their disks are not ours to read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.erasing.database_remains import STUBS
from deploy.erasing.remains import Looked, Needles
from schemas import topics

_STAY = "receipts, the stub, what recipients were told and what keeps it from coming back"
_PARTS = {"kafka": "Kafka's files", "postgres": "PostgreSQL's files", "logs": "the logs"}


def in_files(home: Path, needles: Needles, owners: Mapping[str, str]) -> list[Looked]:
    """Read every file of the servers. `owners`: which file of PostgreSQL's is of which table."""
    return [_looked(home / part, name, needles, owners) for part, name in _PARTS.items()]


def _looked(folder: Path, name: str, needles: Needles, owners: Mapping[str, str]) -> Looked:
    counted = Counter(_verdict(path, held, needles, owners) for path, held in _contents(folder))
    stays = counted["stays"]
    return Looked(name, counted.total(), "files", counted["left"], stays, _STAY if stays else "")


def _verdict(path: Path, held: bytes, needles: Needles, owners: Mapping[str, str]) -> str:
    if not needles.found_in(held):
        return "read"
    topic = path.parts[0].rpartition("-")[0]
    if topic == topics.LEDGER or topic.startswith("samspil.refusals."):
        return "stays"
    return "stays" if not needles.contents_in(held) and _may_name(path, topic, owners) else "left"


def _may_name(path: Path, topic: str, owners: Mapping[str, str]) -> bool:
    """Whether the case's id may stand in a file: the stub's, what recipients were told, and the log of writing both."""
    owner = owners.get(str(path).partition(".")[0], "")
    return topic == topics.CASES or topic.startswith("samspil.views.") or owner in STUBS or path.parts[0] == "pg_wal"


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield path.relative_to(folder), path.read_bytes()
        except FileNotFoundError:
            continue  # deleted meanwhile: then it is none
