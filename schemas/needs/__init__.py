"""What each type of event needs of the case (catalogue.yaml, `needs`): a function per reason.

True means met. A need is asked of the case before the event is folded. The catalogue gives their order. A
need that is not listed here stops the judgement (UnknownWordError): it is never taken as met.
"""

from types import MappingProxyType
from typing import Final

from schemas.errors import UnknownWordError
from schemas.needs import concern, measure, meeting, rights, transfer
from schemas.needs.claim import Claim, Needs

__all__ = ["NEEDS", "Claim", "unmet"]

NEEDS: Final[Needs] = MappingProxyType(
    {**concern.NEEDS, **meeting.NEEDS, **measure.NEEDS, **transfer.NEEDS, **rights.NEEDS}
)


def unmet(claim: Claim) -> tuple[str, tuple[str, ...]] | None:
    """Return the first need that is not met, as reason and JSON pointers. Raises UnknownWordError."""
    event = claim.event
    needs = NEEDS.get(event.type, {})
    for reason in claim.contract.types[event.type].needs:
        need = needs.get(reason)
        if need is None:
            raise UnknownWordError(f"need of {event.type}")
        if not need.met(claim, event.data):
            return reason, tuple(f"/data/{name}" for name in need.fields)
    return None
