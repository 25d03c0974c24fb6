"""The state of one case: what its accepted events add up to, and what has left it.

It holds class 0-1 facts and vault references, never a value of class 2-4. `apply` folds an event into
it; `remember` adds what was decided, since later decisions ask who has got what.
Mappings are treated as frozen: a fold makes a new one. The parts are written to a state record as they stand
here (schemas/state.py).
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import field
from msgspec.structs import replace

from schemas.value import Value, Written

UNDOING = frozenset({"wrong_subject", "withdrawn"})  # these corrections undo what the event did
RECALLING = UNDOING | {"wrong_recipient"}  # after these the event's references are its depositor's alone


class Shown(Written, frozen=True):
    """What one party was shown of one event: the rules that held, and names of the references each released.

    `refs` and `earlier` map a rule to names: of the event's own references, and of those of earlier events.
    Which those were follows from the log's order (case_facts.earlier_refs), so a state never repeats them.
    """

    rules: tuple[str, ...]
    refs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Said(Written, frozen=True):
    """An accepted event as the case remembers it. Its place is its index in the case's log order."""

    party: str
    type: str
    refs: Mapping[str, str] = field(default_factory=dict)  # field -> vault reference
    age_band: str | None = None
    about: str | None = None  # id of the meeting, consent, measure, transfer or event it concerns
    corrected: Mapping[str, int] = field(default_factory=dict)  # reason -> place of the first correction so
    shown: Mapping[str, Shown] = field(default_factory=dict)  # party -> what it got
    withheld: tuple[str, ...] = ()  # parties named in its verdict

    @property
    def undone(self) -> bool:
        """Whether a correction undid it: its references and its age band count no more."""
        return not UNDOING.isdisjoint(self.corrected)

    @property
    def recalled(self) -> bool:
        """Whether a correction left its references to their depositor alone."""
        return not RECALLING.isdisjoint(self.corrected)

    def undone_before(self, place: int) -> bool:
        """Whether it was undone by a correction at or before that place."""
        return any(reason in UNDOING and at <= place for reason, at in self.corrected.items())


class Screening(Value, frozen=True, array_like=True):
    """The newest screening: its outcome and who screened."""

    outcome: str
    by: str


class Meeting(Written, frozen=True):
    """A coordination meeting of the case. `check_expires_at`: RFC 3339, of the newest register check."""

    forum: str
    invited: tuple[str, ...]
    state: Literal["scheduled", "held", "cancelled"]
    attended: tuple[str, ...] = ()
    check_expires_at: str | None = None


class Consent(Written, frozen=True):
    """A consent given, by its scope and recipients; `event` is the id of the event that gave it."""

    scope: frozenset[str]
    recipients: frozenset[str]
    event: str
    withdrawn: bool = False


class Measure(Written, frozen=True):
    """A measure and its provider; `event` started it."""

    provider: str
    event: str
    ended: bool = False


class Transfer(Written, frozen=True):
    """A transfer of the case; `from_party` owned it before."""

    to: str
    from_party: str
    kind: str
    event: str
    state: Literal["pending", "accepted", "declined", "cancelled"]
    closing_event: str | None = None  # the event that accepted, declined or cancelled it


class Case(Value, frozen=True):
    """One case. A case without events does not exist yet."""

    id: str
    relative: bool = False
    owner: str | None = None
    screening: Screening | None = None
    closed: bool = False
    said: Mapping[str, Said] = field(default_factory=dict)  # event id -> event, in log order
    meetings: Mapping[str, Meeting] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    acknowledged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # correction -> parties

    @property
    def exists(self) -> bool:
        """Whether any event of the case was accepted."""
        return bool(self.said)

    @property
    def active(self) -> bool:
        """Whether it was screened into somebody's hands (and those of a relative's case)."""
        return self.screening is not None and self.screening.outcome in {"own_administration", "coordinate"}

    @property
    def pending_transfer(self) -> tuple[str, Transfer] | None:
        """The transfer that is pending, with its id: at most one."""
        for id_, transfer in self.transfers.items():
            if transfer.state == "pending":
                return id_, transfer
        return None


class Utterances(Value, frozen=True):
    """What a party has said outside any case: the newest 1,000 ids, each with its withheld parties."""

    party: str
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


KEPT_UTTERANCES = 1_000
State = Case | Utterances


def key_of(state: State) -> str:
    """Return the key of a state: the case or, where there is none, the party."""
    return state.id if isinstance(state, Case) else state.party


def saying(case: Case, event: str, said: Said) -> Case:
    """Return the case with one accepted event more, or with a newer picture of it."""
    return replace(case, said={**case.said, event: said})
