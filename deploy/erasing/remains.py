"""What is still there of a case: found by reading, place by place, and said so that a stranger understands it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Needles:
    """What a case is known by: its id, and what is in it (ids of its events, vault references).

    The id alone stands where something keeps the case from coming back; what was in it may stand nowhere.
    """

    case: str
    contents: frozenset[str] = frozenset()

    def found_in(self, *parts: bytes | None) -> bool:
        """Whether any of it stands in bytes."""
        held = b"\0".join(filter(None, parts))
        return any(form in held for form in _forms(self.case)) or self.contents_in(held)

    def contents_in(self, *parts: bytes | None) -> bool:
        """Whether any of what was in the case stands in bytes."""
        held = b"\0".join(filter(None, parts))
        return any(form in held for needle in self.contents for form in _forms(needle))


def _forms(needle: str) -> tuple[bytes, bytes]:
    """Return a UUID as text, and as the sixteen bytes that a database keeps of it."""
    return needle.encode(), UUID(needle).bytes


@dataclass(frozen=True, slots=True)
class Looked:
    """A place that was read: how much of it, how much of that is of the case, and what of that is to stay, and why."""

    place: str
    read: int
    unit: str
    left: int = 0  # of the case, though it should be gone
    stays: int = 0  # of the case, and to stay
    why: str = ""

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def clean(looked: Iterable[Looked]) -> bool:
    """Whether nothing was found but what is to stay."""
    return not any(place.left for place in looked)
