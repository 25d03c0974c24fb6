"""The same decisions for one record at a time, as a framework's handler makes them: what every peer calls."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from schemas import state, topics
from schemas.case import State
from schemas.contract_files import load_all
from schemas.records import Headers, Inbound, Outbound
from streams.coordinate import Coordinate
from streams.step import judged


class OneByOne:
    """COORDINATE behind a handler. States are read and written as bytes, by what the framework offers for it."""

    def __init__(self, policies: str, read: Callable[[str], bytes | None]) -> None:
        self._coordinate = Coordinate(load_all(Path(policies)), lambda: "00" * 16)
        self._read = read

    def get(self, key: str) -> State:
        """Be the step's memory."""
        encoded = self._read(key)
        return state.empty(key) if encoded is None else state.decode(encoded)

    def judge(self, record: Inbound) -> tuple[dict[str, bytes], Sequence[Outbound]]:
        """Return new states and what else is to be written; the states' own topic is the framework's changelog."""
        outcome = judged(self._coordinate, [record], self)
        states = {key: kept.encoded for key, kept in outcome.states.items() if kept.encoded is not None}
        return states, [output for output in outcome.outputs if output.topic != topics.CASES]


Found: TypeAlias = Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]] | None


def headers_of(found: Found) -> Headers:
    """Return headers as the pure steps have them, from any client's."""
    pairs = found.items() if isinstance(found, Mapping) else found or ()
    return tuple((name, value if isinstance(value, bytes) else value.encode()) for name, value in pairs)
