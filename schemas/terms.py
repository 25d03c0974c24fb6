"""What time will bring to a case: the last pure step of a judgement, and what the bus says when the time has come."""

from collections.abc import Mapping, Sequence
from uuid import uuid5

from msgspec.structs import replace

from schemas.case import Case, Chain, Erased, Meeting
from schemas.check import BUS
from schemas.contract import Contract
from schemas.deadlines import BUS_EVENTS, passed, running
from schemas.envelope import Admitted, Event
from schemas.events.city import CaseErased
from schemas.receipt_chain import chained
from schemas.recipients import case_recipients
from schemas.retention import erasure

ERASED = "case-erased"
ERASURE_REQUEST = "17"  # the article of the GDPR
_NO_RECEIPTS = Chain()


def noted(contract: Contract, case: Case, admitted: Admitted, receipts: Sequence[bytes]) -> Case | Erased:
    """Return the case with what an accepted event means for what is due, and with its receipts in the chain."""
    event, recorded = admitted.event, admitted.seal.recorded
    chain = chained(case.receipts or _NO_RECEIPTS, receipts)
    if isinstance(event.data, CaseErased):
        data = event.data
        return Erased(recorded, case.id, event.id, data.reason, data.recipients, admitted.seal.salt, chain)
    after = replace(
        case,
        meetings=_meetings(case, event, recorded) if event.type == "meeting-held" else case.meetings,
        due=running(contract, case, admitted),
        newest=case.newest if event.party == BUS else recorded,
        over=case.over or (recorded if case.closed else None),
        erase_from=case.erase_from or (recorded if _asks_erasure(case, event) else None),
        receipts=chain if chain.count else None,
    )
    look = next_look(contract, after)
    return after if look == after.next else replace(after, next=look)


def _meetings(case: Case, event: Event, recorded: str) -> Mapping[str, Meeting]:
    id_ = case.said[event.id].about or ""
    return {**case.meetings, id_: replace(case.meetings[id_], held_at=recorded)}


def _asks_erasure(case: Case, event: Event) -> bool:
    """Whether its owner answered a request for erasure: the catalogue has one answer, which is that it is done.

    A request that is not followed is corrected as withdrawn; then there is nothing to answer.
    """
    if event.type != "rights-request-answered":
        return False
    request = case.said.get(case.said[event.id].about or "")
    return request is not None and request.article == ERASURE_REQUEST and not request.undone


def next_look(contract: Contract, case: Case, after: str = "") -> str | None:
    """Return when COORDINATE must look at the case again, later than a time; None for never."""
    term = erasure(contract, case)
    instants = [due.at for due in case.due if due.at > after]
    if term is not None and term.at > after:
        instants.append(term.at)
    return min(instants, default=None)


def said_by_bus(contract: Contract, case: Case, now: str, *, held: bool) -> Event | None:
    """Return what the bus must say of the case next, the time being `now`; None where there is nothing (more).

    `held`: a legal hold stands, so that nothing is erased. What would pass after a case's erasure is never said,
    however late anybody looks; nor is a deadline that this contract does not know.
    """
    term = None if held else erasure(contract, case)
    until = now if term is None else min(now, term.at)
    over = [due for due in case.due if due.at <= until and due.deadline in contract.deadline]
    if over:
        return passed(contract, case, min(over, key=lambda due: (due.at, due.deadline, due.event)), now)
    return erased(contract, case, term.reason, now) if term and term.at <= now else None


def erased(contract: Contract, case: Case, reason: str, now: str) -> Event:
    """Return the event that erases a case: told to all that hold something of it, or else noted for who opened it."""
    told = sorted(case_recipients(contract, case)) or [next(iter(case.said.values())).party]
    data = CaseErased.model_validate({"reason": reason, "recipients": tuple(told)})
    return Event(erasure_id(case.id), BUS, ERASED, case.id, now, data)


def erasure_id(case: str) -> str:
    """Return the id of the one event that erases a case."""
    return str(uuid5(BUS_EVENTS, f"{case}/{ERASED}"))
