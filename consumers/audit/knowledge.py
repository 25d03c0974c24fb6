"""What each recipient knows of a case now: all that was released to it, less what was called back, withdrawn or erased.

That somebody must delete something is an obligation; that it did is known only where it has said so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from consumers.audit.disclosures import Disclosure
from consumers.audit.history import Told
from consumers.audit.retelling import Retold
from schemas.case import RECALLING, Case
from schemas.case_facts import earlier_sources
from schemas.contract import Contract, Contracts
from schemas.events.rights import CorrectionAcknowledged, CorrectionIssued
from schemas.may_read import Deposit, Reading, may_read
from schemas.predicates import failure
from schemas.retention import expired

Standing = Literal["known", "wrong", "corrected", "to_delete", "deleted"]
_STRONGEST: tuple[Standing, ...] = ("known", "wrong", "corrected", "to_delete", "deleted")
_ON_CONSENT = "delete_on_withdrawal"
_EVENT = ""  # the name of knowing that something happened, and nothing of it


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that a recipient was told: a field or reference of an event, by name, and how that stands now.

    `why` is why it must be deleted or is wrong; `readable`: its value can be opened in the vault now.
    """

    recipient: str
    event: str
    type: str | None
    name: str
    standing: Standing
    why: str | None = None
    readable: bool = False

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def known_of_receipts(rows: Iterable[Disclosure], *, erased: bool) -> tuple[Known, ...]:
    """Return what was released by the receipts alone: of an erased case all of it is to be deleted."""
    standing: Standing = "to_delete" if erased else "known"
    why = "erased" if erased else None
    found = {
        (row.recipient, row.event, name): Known(row.recipient, row.event, row.type, name, standing, why)
        for row in rows
        if row.outcome == "released" and row.event is not None
        for name in (*row.fields, *row.refs) or (_EVENT,)
    }
    return tuple(sorted(found.values(), key=lambda known: known.recipient))


def knowledge(contracts: Contracts, told: Told, now: datetime) -> tuple[Known, ...]:
    """Return what each recipient knows, as the log tells it; references by the event that said them."""
    if not told.events or not isinstance(told.events[-1].state, Case):
        return ()
    best: dict[tuple[str, str, str], Known] = {}
    for known in _Teller(contracts, told, told.events[-1].state, now).all():
        place = (known.recipient, known.event, known.name)
        if place not in best or _rank(known) < _rank(best[place]):
            best[place] = known
    return tuple(sorted(best.values(), key=lambda known: known.recipient))


def _rank(known: Known) -> int:
    return _STRONGEST.index(known.standing)


@dataclass(frozen=True, slots=True)
class _Release:
    """A field or reference that a party was shown: with which event, said by which, by which rules of a contract."""

    contract: Contract
    party: str
    shown_with: str
    said_by: str
    name: str = _EVENT
    rules: tuple[str, ...] = ()


class _Teller:
    """Asks of one case what each showing has left."""

    def __init__(self, contracts: Contracts, told: Told, case: Case, now: datetime) -> None:
        """Take the case as its log tells it."""
        self._contracts, self._told, self._case = contracts, told, case
        self._in_force, self._now = contracts.newest, now
        self._gone = expired(self._in_force, case, now)
        events = [retold.admitted.event for retold in told.events]
        self._corrections = [(e.id, e.data) for e in events if isinstance(e.data, CorrectionIssued)]
        self._answers: Mapping[tuple[str, str], str] = {
            (e.party, e.data.correction): e.data.done for e in events if isinstance(e.data, CorrectionAcknowledged)
        }

    def all(self) -> Iterator[Known]:
        for place, retold in enumerate(self._told.events):
            yield from map(self._known, self._releases(place, retold))

    def _releases(self, place: int, retold: Retold) -> Iterator[_Release]:
        """Find what each party was shown of an event, with the rules that released it."""
        event = retold.admitted.event
        contract = self._contracts.named(retold.admitted.seal.contract)
        fields = {r.recipient: r.fields for r in retold.decision.receipts if r.outcome == "released"}
        for party, shown in self._case.said[event.id].shown.items():
            own = _Release(contract, party, event.id, event.id)
            released = {rule: contract.rule[rule].release for rule in shown.rules}
            for name in fields[party]:
                yield replace(own, name=name, rules=_releasing(released, name))
            for name in sorted(_names(shown.refs)):
                yield replace(own, name=name, rules=_releasing(shown.refs, name))
            for name in sorted(_names(shown.earlier)):
                for source in earlier_sources(self._case, event.id, place, name):
                    yield replace(own, said_by=source, name=name, rules=_releasing(shown.earlier, name))
            if not (fields[party] or shown.refs or shown.earlier):
                yield replace(own, rules=shown.rules)

    def _known(self, release: _Release) -> Known:
        standing, why = self._standing(release)
        type_ = self._case.said[release.said_by].type
        return Known(release.party, release.said_by, type_, release.name, standing, why, self._opens(release))

    def _standing(self, release: _Release) -> tuple[Standing, str | None]:
        of = [(id_, data.reason) for id_, data in self._corrections if data.corrects == release.said_by]
        answers = {self._answers.get((release.party, id_)) for id_, _ in of}
        recalled = next((reason for _, reason in of if reason in RECALLING), None)
        if recalled:
            return ("deleted" if "deleted" in answers else "to_delete"), recalled
        if release.rules and all(self._lapsed(release, rule) for rule in release.rules):
            return "to_delete", "consent_withdrawn"
        if of:
            done: Standing = "deleted" if "deleted" in answers else "corrected" if "corrected" in answers else "wrong"
            return done, of[0][1]
        return "known", None

    def _lapsed(self, release: _Release, id_: str) -> bool:
        rule = release.contract.rule[id_]
        on_consent = _ON_CONSENT in rule.gate.obligations
        return on_consent and failure(release.contract, self._case, release.shown_with, rule, release.party) is not None

    def _opens(self, release: _Release) -> bool:
        said = self._case.said[release.said_by]
        ref = said.refs.get(release.name)
        if ref is None or ref in self._gone:
            return False
        deposit = Deposit(ref, said.party, self._case.id, release.name)
        return isinstance(may_read(self._in_force, self._case, deposit, release.party, self._now), Reading)


def _names(by_rule: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {name for names in by_rule.values() for name in names}


def _releasing(by_rule: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    return tuple(rule for rule, names in by_rule.items() if name in names)
