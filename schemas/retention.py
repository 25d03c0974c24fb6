"""How long the policy lets a case and its parts stay. Pure: the case, the contract and, where it counts, the time.

Every term here runs from what the bus's own clock noted, not from what a publisher wrote: a wrong date must neither
erase a case at once nor keep it for years. Terms of the topics themselves stand in topics.py.
"""

from datetime import datetime
from functools import lru_cache

from schemas.case import Case
from schemas.clock_times import rfc3339
from schemas.contract import Contract
from schemas.periods import end_of
from schemas.value import Value

FACTS = "facts"  # of register-check-answered: what retention `meeting_facts` is of
_HOUR = len("2026-01-01T00")  # the city's offsets are whole hours: within one, all terms end at the same midnight


class Erasure(Value, frozen=True):
    """When a case is to be erased, and the reason that its case-erased gives."""

    at: str
    reason: str


def erasure(contract: Contract, case: Case) -> Erasure | None:
    """Return when the case is to be erased as it stands now; None for never. A legal hold is not asked here."""
    term = _by_policy(contract, case)
    if case.erase_from is None:
        return term
    # A request for erasure (GDPR art. 17) that its owner answered.
    return term if term is not None and term.at < case.erase_from else Erasure(case.erase_from, "rights_request")


def _by_policy(contract: Contract, case: Case) -> Erasure | None:
    if case.over is not None:
        rejected = case.screening is not None and case.screening.outcome == "close"
        name, reason = ("rejected_concern", "rejected_concern") if rejected else ("closed_case", "retention")
        return _term(contract, name, case.over, reason)
    return None if case.newest is None else _term(contract, "idle_case", case.newest, "retention")


def _term(contract: Contract, name: str, start: str, reason: str) -> Erasure | None:
    rule = contract.kept.get(name)
    return None if rule is None else Erasure(_after(start[:_HOUR], rule.keep), reason)


@lru_cache(maxsize=1024)
def _after(hour: str, keep: str) -> str:
    return rfc3339(end_of(datetime.fromisoformat(hour + ":00:00+00:00"), keep))


def expired(contract: Contract, case: Case, now: datetime) -> frozenset[str]:
    """Return the vault references whose values are to go though the case stays: facts for a meeting held long ago."""
    rule = contract.kept.get("meeting_facts")
    if rule is None:
        return frozenset()
    time = rfc3339(now)
    over = {
        id_
        for id_, meeting in case.meetings.items()
        if meeting.held_at is not None and _after(meeting.held_at[:_HOUR], rule.keep) <= time
    }
    return frozenset(
        said.refs[FACTS]
        for said in case.said.values()
        if said.type == "register-check-answered" and said.about in over and FACTS in said.refs
    )
