"""What parties were shown of an event, as a case remembers it: read only when it is asked for.

Most of a case's events are never asked whom they were shown to, and reading it was half of the time that decoding a
case took (20 microseconds for 23 events): so it stays as it is written, in the bytes that the case was decoded from.
It holds nothing but parties, rules and names of fields, so there are few different ones, and each is read once.
"""

from collections.abc import Mapping
from functools import lru_cache

from msgspec import DecodeError, Raw, field
from msgspec.json import Decoder, Encoder

from schemas.errors import StateError
from schemas.value import Written


class Shown(Written, frozen=True):
    """What one party was shown of one event: the rules that held, and names of the references each released.

    `refs` and `earlier` map a rule to names: of the event's own references, and of those of earlier events.
    Which those were follows from the log's order (case_facts.earlier_refs), so a state never repeats them.
    """

    rules: tuple[str, ...]
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOBODY = Raw(b"{}")  # this very value is left out of a state
_READ, _WRITE = Decoder(dict[str, Shown]), Encoder(order="sorted")


def written(shown: Mapping[str, Shown]) -> Raw:
    """Return what each party was shown, as it stands in a state: canonical JSON."""
    return Raw(_WRITE.encode(shown)) if shown else NOBODY


def shown_from(raw: Raw) -> Mapping[str, Shown]:
    """Return what each party was shown. Raises StateError."""
    return _read(bytes(raw))


@lru_cache(maxsize=4096)
def _read(raw: bytes) -> Mapping[str, Shown]:
    try:
        return _READ.decode(raw)
    except (DecodeError, ValueError) as error:
        raise StateError(type(error).__name__) from None
