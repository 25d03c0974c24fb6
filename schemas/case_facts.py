"""What a case's events add up to, as the catalogue defines its words: a child, involved, covered by consent.

Asked by the needs of an event, by the gates of the policy and by the roles, so that all three mean the same.
"""

from itertools import islice

from schemas.case import Case, Meeting, Said
from schemas.contract_words import CASE_REF_SOURCES, DOSSIER
from schemas.errors import StateError

COORDINATION_UNIT = "ku"  # named by the catalogue: involved in every case, never invited, never owner
CHILD_AUTHORITY = "sof"  # named by the catalogue: screens a child's case
UNDER_18 = frozenset({"under_10", "10_14", "15_17"})
HANDOVER_FORUMS = frozenset({"ssp", "psp", "ksp"})


def age_band(case: Case) -> str | None:
    """Return the age band of the newest concern that no correction undid."""
    concerns = [said for said in case.said.values() if said.type == "concern-raised"]
    return next((concern.age_band for concern in reversed(concerns) if not concern.undone), None)


def is_child(case: Case, judged: str | None = None) -> bool:
    """Whether the case is about a child, for the judgement of one event (None: of one not yet accepted).

    The event that accepts a transfer of kind turning_18 is itself still about a child; every other is not.
    """
    grown = any(
        transfer.kind == "turning_18" and transfer.state == "accepted" and transfer.closing_event != judged
        for transfer in case.transfers.values()
    )
    return not grown and age_band(case) in UNDER_18


def covered(case: Case, party: str, scope: str | None) -> bool:
    """Whether a consent given and not withdrawn names the party and has this scope (None: never)."""
    return any(
        party in consent.recipients and scope in consent.scope
        for consent in case.consents.values()
        if not consent.withdrawn
    )


def met(case: Case, one: str, other: str) -> bool:
    """Whether both attended one held meeting under the Administration of Justice Act, section 115."""
    return any(
        meeting.state == "held" and meeting.forum in HANDOVER_FORUMS and {one, other} <= set(meeting.attended)
        for meeting in case.meetings.values()
    )


def handover_basis(case: Case, party: str, owner_before: str | None, *, scope: str | None, judged: str | None) -> bool:
    """Whether a case may be handed over to the party: a child, a consent, or a meeting of both."""
    if is_child(case, judged) or covered(case, party, scope):
        return True
    return owner_before is not None and met(case, party, owner_before)


def involved(case: Case, party: str) -> bool:
    """Whether the party may know that the case exists: what else it asks of, it is told unknown_case."""
    pending = case.pending_transfer
    return (
        party in {COORDINATION_UNIT, case.owner}
        or (pending is not None and pending[1].to == party)
        or any(party in meeting.invited for meeting in case.meetings.values())
        or any(party == said.party or party in said.shown for said in case.said.values())
    )


def earlier_refs(case: Case, event: str, place: int, name: str) -> tuple[str, ...]:
    """Return the references of this name that `case_refs` means at an event and its place, newest first.

    Those of concerns, notifications and a relative's case that were not undone by then; the dossier only
    of the transfer that this very event accepts.
    """
    return tuple([case.said[id_].refs[name] for id_ in earlier_sources(case, event, place, name)])


def earlier_sources(case: Case, event: str, place: int, name: str) -> tuple[str, ...]:
    """Return the events whose references of this name `case_refs` means, newest first."""
    meant = _initiations(case, event) if name == DOSSIER else _sources(case, place)
    return tuple([id_ for id_ in meant if name in case.said[id_].refs and not case.said[id_].undone_before(place)])


def _sources(case: Case, place: int) -> tuple[str, ...]:
    by_then = islice(case.said.items(), place + 1)
    return tuple([id_ for id_, said in by_then if said.type in CASE_REF_SOURCES][::-1])


def _initiations(case: Case, event: str) -> tuple[str, ...]:
    closed = [transfer for transfer in case.transfers.values() if transfer.closing_event == event]
    return tuple([transfer.event for transfer in closed if transfer.state == "accepted"])


def learned(case: Case, event: Said) -> frozenset[str]:
    """Return who got a view of an event, or one of its references with a later one."""
    told = {
        party
        for place, (id_, said) in enumerate(case.said.items())
        for party, shown in said.shown.items()
        if shown.earlier
        for name in {name for names in shown.earlier.values() for name in names}
        if name in event.refs and event.refs[name] in earlier_refs(case, id_, place, name)
    }
    return frozenset(told | set(event.shown))


def meeting_of(case: Case, event: str) -> Meeting:
    """Return the meeting that an event is about. Raises StateError."""
    meeting = case.meetings.get(case.said[event].about or "")
    if meeting is None:
        raise StateError("the event is about no meeting")
    return meeting
