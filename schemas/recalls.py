"""Who was told of a correction and has not acknowledged it: of a case's state, all that the overview may take.

That a correction was acknowledged ku sees; who was told of it stands in the state alone. Of corrections that ku
neither issued nor was told of it learns nothing here either.
"""

from collections.abc import Mapping

from schemas.case import Case
from schemas.overview_facts import OVERSEER
from schemas.overview_waits import CORRECTION


def waiting(case: Case) -> Mapping[str, tuple[str, ...]]:
    """Return for each correction that ku knows of the parties that have yet to acknowledge it; none where all did."""
    found = {
        id_: tuple(sorted(said.shown.keys() - {said.party, *case.acknowledged.get(id_, ())}))
        for id_, said in case.said.items()
        if said.type == CORRECTION and (said.party == OVERSEER or OVERSEER in said.shown)
    }
    return {id_: parties for id_, parties in found.items() if parties}
