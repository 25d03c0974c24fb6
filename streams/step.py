"""What a step is: it judges a record after those before it, and adds what is to be written to their batch alone.

No I/O, no clock of its own: the same records on the same states, with the same clock and salts, lead to the same batch.

A step never raises for the sake of one record: `Dead` names the coordinates of what it could not judge,
and the rest of the run goes on.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from schemas.contract import Contract
from schemas.records import Inbound
from streams.batch import Batch, Memory, Outcome


class Step(Protocol):
    """One of the two steps."""

    @property
    def name(self) -> str:
        """The name in logs, transactional ids and dead letters."""

    @property
    def remembers(self) -> bool:
        """Whether the step keeps states, so that they must be restored first."""

    def judge(self, batch: Batch, record: Inbound) -> None:
        """Judge the next record of a partition, and add what it leads to. Raises UnknownContractError alone."""


@runtime_checkable
class Ticking(Protocol):
    """A step that has something to say when time has passed."""

    def tick(self, keys: Iterable[str], memory: Memory, now: str, contract: Contract) -> Outcome:
        """Say what the time has come for in the cases of these keys."""


def judged(step: Step, run: Sequence[Inbound], memory: Memory) -> Outcome:
    """Judge records of one partition in their order, and keep all that they lead to; the worker writes as it goes."""
    batch = Batch(memory)
    for record in run:
        step.judge(batch, record)
    return batch.outcome()
