"""The picture: two steps, one Faust agent each, one actor a partition, a transaction for each run or part of one.

samspil.inbox.<party>.v1          one per party; read, judged, then cut
      |
    ADMIT ------------------> samspil.refusals.<party>.v1    what is no event, and why
      |        `------------> samspil.dead.v1                what could not be judged
      v
samspil.admitted.v1               partition = murmur2(case or party) mod N
      |
  COORDINATE ---------------> samspil.log.v1                 accepted events
      |        |------------> samspil.views.<party>.v1       what each may see of them
      |        |------------> samspil.ledger.v1              what was shown and withheld
      |        |------------> samspil.refusals.<party>.v1    what its case refused, or had heard before
      |        `------------> samspil.dead.v1
      v
samspil.cases.v1                  state, and its own changelog
"""

from collections.abc import Iterable
from typing import Any

import faust
from faust.types import StreamT

from schemas import topics
from streams.ownership import Ownership
from streams.step import Step
from streams.transport import RunSchema


def build(app: faust.App, ownership: Ownership, admit: Step, coordinate: Step, parties: Iterable[str]) -> None:
    """Declare both steps on an app whose transport is ours already."""
    _step(app, ownership, admit, [topics.inbox(party) for party in sorted(parties)])
    _step(app, ownership, coordinate, [topics.ADMITTED])

    @app.on_partitions_revoked.connect(weak=False)
    async def revoked(*_: Any, **__: Any) -> None:
        await ownership.revoked()

    # Why here: Faust tells of assignments after its actors were made for them, so a claim finds its actor.
    @app.on_partitions_assigned.connect(weak=False)
    async def assigned(_app: Any, places: Any, **_: Any) -> None:
        ownership.assigned(places)


def _step(app: faust.App, ownership: Ownership, step: Step, names: list[str]) -> None:
    ownership.serve(step, names)

    # acks=False: the step's transaction commits the offsets, Faust must not.
    source = app.topic(*names, schema=RunSchema(), acks=False, internal=False)

    @app.agent(source, name=step.name, isolated_partitions=True)
    async def judge(runs: StreamT[Any]) -> None:  # never yields: a sender's headers could steer a yield
        async for run in runs:
            await ownership.judge(run)
