"""The state of one case: what its accepted events add up to, what has left it, and what is due of it.

It holds class 0-1 facts and vault references, never a value of class 2-4. `apply` folds an event into
it; `remember` adds what was decided, since later decisions ask who has got what; `terms` what time will bring.
Instants that the bus itself noted are its clock's, in the one form of `clock_times`, so that they compare as text.
Mappings are treated as frozen: a fold makes a new one. The parts are written to a state record as they stand
here (schemas/state.py).
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Raw, field
from msgspec.structs import replace

from schemas.shown import NOBODY, Shown, shown_from
from schemas.value import Value, Written

UNDOING = frozenset({"wrong_subject", "withdrawn"})  # these corrections undo what the event did
RECALLING = UNDOING | {"wrong_recipient"}  # after these the event's references are its depositor's alone


class Said(Written, frozen=True):
    """An accepted event as the case remembers it. Its place is its index in the case's log order."""

    party: str
    type: str
    refs: Mapping[str, str] = field(default_factory=dict)  # field -> vault reference
    age_band: str | None = None
    article: str | None = None  # of the GDPR, that a request is made under
    about: str | None = None  # id of the meeting, consent, measure, transfer or event it concerns
    corrected: Mapping[str, int] = field(default_factory=dict)  # reason -> place of the first correction so
    shown_raw: Raw = field(name="shown", default=NOBODY)  # what `shown` reads
    withheld: tuple[str, ...] = ()  # parties named in its verdict

    @property
    def shown(self) -> Mapping[str, Shown]:
        """Return what each party got of it. Raises StateError."""
        return shown_from(self.shown_raw)

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
        if not self.corrected:
            return False
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
    held_at: str | None = None  # the bus's clock when it was told


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


class Due(Value, frozen=True, array_like=True):
    """A deadline of the policy that runs: the event that started it, and the instant at which it passes."""

    deadline: str
    event: str
    at: str


class Chain(Value, frozen=True, array_like=True):
    """The receipts that COORDINATE wrote for a case: how many, and a running SHA-256 over them (see `chained`).

    It outlives the case, so that afterwards still none can be changed, added or taken away unseen.
    """

    count: int = 0
    digest: str = ""


class Case(Value, frozen=True):
    """One case. A case without events does not exist yet.

    `newest`: the bus's clock at the newest event that a party said; `over`: at its closing; `erase_from`: at the answer
    to a request for erasure. `next`: when COORDINATE must look at it again, None for never.
    """

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
    due: tuple[Due, ...] = ()
    newest: str | None = None
    over: str | None = None
    erase_from: str | None = None
    next: str | None = None
    receipts: Chain | None = None

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


class Erased(Written, frozen=True):
    """What stays of an erased case, so that nothing brings it back: when and why it was erased, and who was told.

    `event` is the id of its case-erased, `salt` that event's, `receipts` what the ledger must still hold of it.
    """

    at: str
    case: str
    event: str
    reason: str
    recipients: tuple[str, ...]
    salt: str
    receipts: Chain


class Hold(Written, frozen=True):
    """A legal hold on a case: while it stands, nothing of the case is erased. It is no part of the case's log."""

    held: str
    since: str | None = None  # None: there is no hold


HOLD_PREFIX = "hold/"  # of a hold's key, beside the key of its case
KEPT_UTTERANCES = 1_000
State = Case | Utterances | Erased | Hold


def key_of(state: State) -> str:
    """Return the key of a state: the case or, where there is none, the party."""
    match state:
        case Case():
            return state.id
        case Utterances():
            return state.party
        case Erased():
            return state.case
        case Hold():
            return hold_key(state.held)


def hold_key(case: str) -> str:
    """Return the key under which a hold on a case is kept."""
    return HOLD_PREFIX + case


def saying(case: Case, event: str, said: Said) -> Case:
    """Return the case with one accepted event more, or with a newer picture of it."""
    return replace(case, said={**case.said, event: said})
