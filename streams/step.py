"""What a step is: a pure function from a run of records to what is to be written. No I/O, no clock of its own.

A step never raises for the sake of one record: `Dead` names the coordinates of what it could not judge,
and the rest of the run goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from schemas.case import State
from schemas.contract import Contract
from schemas.records import Inbound, Outbound


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that a step could not judge: where it stands, and the class of what went wrong. No payload."""

    step: str
    topic: str
    partition: int
    offset: int
    error: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A new state, and its bytes as they are written; None where nothing is kept of it."""

    state: State
    encoded: bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of records leads to; written in one transaction, or not at all."""

    outputs: tuple[Outbound, ...]
    states: Mapping[str, Kept] = field(default_factory=dict)
    dead: tuple[Dead, ...] = ()


class Memory(Protocol):
    """The states that a partition's step may ask for."""

    def get(self, key: str) -> State:
        """Return the state of a case or party, empty where nothing was accepted yet."""


class Step(Protocol):
    """One of the two steps."""

    @property
    def name(self) -> str:
        """The name in logs, transactional ids and dead letters."""

    @property
    def remembers(self) -> bool:
        """Whether the step keeps states, so that they must be restored first."""

    def judge(self, run: Sequence[Inbound], memory: Memory) -> Outcome:
        """Judge records of one partition, in their order."""


@runtime_checkable
class Ticking(Protocol):
    """A step that has something to say when time has passed."""

    def tick(self, keys: Iterable[str], memory: Memory, now: str, contract: Contract) -> Outcome:
        """Say what the time has come for in the cases of these keys."""
