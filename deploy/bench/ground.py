"""What every measurement stands on: the broker, the load, the processes, how much, and a way to say where it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from deploy.bench.broker import Broker
from deploy.bench.filling import fill
from deploy.bench.load import Load
from deploy.bench.processes import Processes
from deploy.bench.scale import Scale
from schemas.contract import Contract
from schemas.records import Outbound


@dataclass(frozen=True, slots=True)
class Ground:
    """Handed to each measurement."""

    broker: Broker
    processes: Processes
    contract: Contract
    scale: Scale
    seed: int
    say: Callable[[str], None]

    def load(self, more: int = 0) -> Load:
        """Return the load of this seed, or another one that has nothing in common with it."""
        return Load(self.contract, self.seed + more, self.scale.at_once)

    def fill_admitted(self, load: Load, events: int) -> int:
        """Write events to the admitted topic; return how many of those that parties sent are taken."""
        taken = 0

        def records() -> Iterator[Outbound]:
            nonlocal taken
            for said, record in islice(load.admitted(), events):
                taken += said.accepted and said.submitted is not None
                yield record

        fill(self.broker.access(), records())
        return taken
