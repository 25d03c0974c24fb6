"""Who a policy rule's `to` means for one event: a party id, or a role that the case resolves.

Asked of the case after the event was folded. A role that nobody has resolves to none, a party that the
contract does not know is nobody, and a word that is neither is an error.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from schemas.case import Case, Said, State, Transfer
from schemas.case_facts import learned
from schemas.contract import Contract
from schemas.envelope import Event
from schemas.errors import StateError, UnknownWordError
from schemas.events.city import CaseErased, DeadlinePassed
from schemas.events.measure import ConsentRecorded

OVERSIGHT = "oversight"


def _one(party: str | None) -> tuple[str, ...]:
    return () if party is None else (party,)


def _about(case: Case, event: Event) -> str:
    return case.said[event.id].about or ""


def _transfer(case: Case, event: Event) -> Transfer | None:
    return case.transfers.get(_about(case, event))


def _said_before(case: Case, event: Event) -> Said | None:
    return case.said.get(_about(case, event))


def _owner(_: Contract, case: Case, __: Event) -> Iterable[str]:
    return _one(case.owner)


def _old_owner(_: Contract, case: Case, event: Event) -> Iterable[str]:
    # the owner before the event differs from the owner only where the event accepts a transfer
    transfer = _transfer(case, event)
    return _one(transfer.from_party if transfer and transfer.closing_event == event.id else None)


def _new_owner(_: Contract, case: Case, event: Event) -> Iterable[str]:
    transfer = _transfer(case, event)
    return _one(transfer.to if transfer else None)


def _invited(_: Contract, case: Case, event: Event) -> Iterable[str]:
    meeting = case.meetings.get(_about(case, event))
    return meeting.invited if meeting else ()


def _attended(_: Contract, case: Case, event: Event) -> Iterable[str]:
    meeting = case.meetings.get(_about(case, event))
    return meeting.attended if meeting else ()


def _provider(_: Contract, case: Case, event: Event) -> Iterable[str]:
    measure = case.measures.get(_about(case, event))
    return _one(measure.provider if measure else None)


def _informed_provider(_: Contract, case: Case, event: Event) -> Iterable[str]:
    measure = case.measures.get(_about(case, event))
    informed = measure is not None and measure.provider in case.said[measure.event].shown
    return _one(measure.provider if measure and informed else None)


def _notifier(_: Contract, case: Case, event: Event) -> Iterable[str]:
    concern = _said_before(case, event)
    return _one(concern.party if concern and concern.type == "concern-raised" else None)


def _named(_: Contract, __: Case, event: Event) -> Iterable[str]:
    data = event.data
    return data.recipients if isinstance(data, ConsentRecorded | CaseErased) else ()


def _responsible(_: Contract, __: Case, event: Event) -> Iterable[str]:
    return _one(event.data.responsible if isinstance(event.data, DeadlinePassed) else None)


def _issuer(_: Contract, case: Case, event: Event) -> Iterable[str]:
    correction = _said_before(case, event)
    return _one(correction.party if correction and correction.type == "correction-issued" else None)


def _event_recipients(_: Contract, case: Case, event: Event) -> Iterable[str]:
    corrected = _said_before(case, event)
    return learned(case, corrected) if corrected else ()


def _case_recipients(contract: Contract, case: Case, event: Event) -> Iterable[str]:
    return case_recipients(contract, case, event.id)


def case_recipients(contract: Contract, case: Case, but: str | None = None) -> set[str]:
    """Return who got a view of an event of the case (but of one), may hold case data and does not oversee."""
    earlier = (said.shown for id_, said in case.said.items() if id_ != but)
    known = (contract.parties.get(party) for shown in earlier for party in shown)
    return {party.id for party in known if party and party.holds_case_data and party.kind != OVERSIGHT}


EVERYONE = "everyone"  # the one role that needs no case
ROLES: Mapping[str, Callable[[Contract, Case, Event], Iterable[str]]] = {
    "owner": _owner,
    "old_owner": _old_owner,
    "new_owner": _new_owner,
    "invited": _invited,
    "attended": _attended,
    "provider": _provider,
    "informed_provider": _informed_provider,
    "notifier": _notifier,
    "named": _named,
    "responsible": _responsible,
    "issuer": _issuer,
    "event_recipients": _event_recipients,
    "case_recipients": _case_recipients,
}


def recipients(contract: Contract, state: State, event: Event, to: str) -> Collection[str]:
    """Return the parties that `to` means, each once. Raises UnknownWordError and StateError."""
    if to in contract.parties:
        return (to,)
    if to == EVERYONE:
        return contract.parties.keys()
    role = ROLES.get(to)
    if role is None:
        raise UnknownWordError("recipient of a rule")
    if not isinstance(state, Case):
        raise StateError("a rule addresses a role in a case, the event has none")
    return {party for party in role(contract, state, event) if party in contract.parties}
