"""What the state keeps of a decision: who got what by which rule, since later judgements ask."""

from msgspec.structs import replace

from schemas.case import Case, State, Utterances, saying
from schemas.envelope import Event
from schemas.errors import StateError
from schemas.shown import written
from schemas.views import Decision


def remember(state: State, event: Event, decision: Decision) -> State:
    """Return the state (event folded) with what was decided about the event."""
    if isinstance(state, Case):
        said = replace(state.said[event.id], shown_raw=written(decision.shown), withheld=decision.withheld)
        return saying(state, event.id, said)
    if isinstance(state, Utterances):
        return replace(state, said={**state.said, event.id: decision.withheld})
    raise StateError("nothing is said of an erased case")
