"""Whether a case takes an event: the order of judgement of catalogue.yaml, after admission.

The first failure is the reason. What a party is told about a case that does not concern it is
`unknown_case`; a party involved that holds no case data is told `not_taken`.
"""

from collections.abc import Mapping

from schemas.case import Case, State, Utterances, key_of
from schemas.case_facts import involved
from schemas.contract import Contract, EventType
from schemas.envelope import Admitted
from schemas.errors import StateError
from schemas.needs import Claim, unmet
from schemas.verdicts import Accepted, Refusal, Verdict

BUS = "bus"  # says deadline-passed and case-erased, and is no party of parties.yaml
FULL = 1_000
TAKEN_WHEN_CLOSED = frozenset(
    {
        "correction-issued",
        "correction-acknowledged",
        "rights-request-received",
        "rights-request-answered",
        "authority-request-received",
    }
)
TAKEN_WHEN_FULL = TAKEN_WHEN_CLOSED | {"case-closed"}
TOLD_TO_ALL = frozenset({"signs_insufficient", "observed_in_future"})  # these say nothing of the case
UNTAKEN = "not_taken"

Failure = tuple[str, tuple[str, ...]]  # reason, JSON pointers
THE_CASE: tuple[str, ...] = ("/subject",)


def check(contract: Contract, state: State, admitted: Admitted) -> Verdict | None:
    """Return why the event is not judged anew: a refusal, or the first verdict again for a duplicate."""
    event = admitted.event
    if event.key != key_of(state):
        raise StateError("the event is of another case or party")
    if isinstance(state, Utterances):
        return _repeated(state.said, event.id)
    if not isinstance(state, Case):  # erased: nobody is told more than of a case that never was
        return Refusal(event.id, "unknown_case", THE_CASE)
    if event.id in state.said:
        return _said_before(state, event.id, event.party)
    failure = _failure(Claim(contract, state, event, event.party, admitted.seal.recorded))
    return Refusal(event.id, *failure) if failure else None


def _repeated(said: Mapping[str, tuple[str, ...]], id_: str) -> Verdict | None:
    return Accepted(id_, said[id_], duplicate=True) if id_ in said else None


def _said_before(case: Case, id_: str, party: str) -> Verdict:
    said = case.said[id_]
    if said.party == party:
        return Accepted(id_, said.withheld, duplicate=True)
    return Refusal(id_, "id_taken", ("/id",))


def _failure(claim: Claim) -> Failure | None:
    type_ = claim.contract.types[claim.event.type]
    if not (type_.opens_case or _may_know(claim)):
        return "unknown_case", THE_CASE
    failure = _case_failure(claim, type_) or unmet(claim)
    return _as_told(claim, failure) if failure else None


def _may_know(claim: Claim) -> bool:
    return claim.case.exists and (claim.party == BUS or involved(claim.case, claim.party))


def _case_failure(claim: Claim, type_: EventType) -> Failure | None:
    case, name = claim.case, type_.name
    of_party = claim.party != BUS  # closing and fullness limit what parties say, never deadlines and erasure
    if case.exists and type_.opens_case and _opened_already(claim):
        return "case_exists", THE_CASE
    if of_party and case.closed and name not in TAKEN_WHEN_CLOSED:
        return "case_closed", THE_CASE
    if of_party and len(case.said) >= FULL and name not in TAKEN_WHEN_FULL:
        return "case_full", THE_CASE
    if not _publishes(claim, type_):
        return "not_a_publisher", ("/type",)
    return None


def _opened_already(claim: Claim) -> bool:
    """Whether an event that opens cases comes too late: a further concern does not, by a party involved."""
    adds = claim.event.type == "concern-raised" and not claim.case.relative
    return not (adds and involved(claim.case, claim.party))


def _publishes(claim: Claim, type_: EventType) -> bool:
    party = claim.contract.parties.get(claim.party)
    names = {claim.party, party.kind, "any"} if party else {claim.party}
    return not names.isdisjoint(type_.publishers) or any(_has_role(claim, role) for role in type_.publishers)


def _has_role(claim: Claim, role: str) -> bool:
    if role in {"invited", "recipient"}:
        return True  # their needs decide
    if role == "owner":
        return claim.case.owner == claim.party
    return role == "new_owner" and _may_answer(claim)


def _may_answer(claim: Claim) -> bool:
    """Whether the party is the `to` of the transfer named. Where that is not pending, the need answers."""
    pending = claim.case.pending_transfer
    named: object = getattr(claim.event.data, "transfer", None)
    return pending is None or pending[0] != named or pending[1].to == claim.party


def _as_told(claim: Claim, failure: Failure) -> Failure:
    """Return what the party is told: one that holds no case data learns nothing of the case."""
    party = claim.contract.parties.get(claim.party)
    outside = party is not None and not party.holds_case_data
    if outside and failure[0] not in TOLD_TO_ALL and claim.case.exists and involved(claim.case, claim.party):
        return UNTAKEN, ()
    return failure
