"""What each recipient knows of a case now: all that was released to it, less what was called back, withdrawn or erased.

That somebody must delete something is an obligation; that it did is known only where it has said so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from consumers.audit.disclosures import Disclosure
from consumers.audit.history import Told
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
            event = retold.admitted.event
            contract = self._contracts.named(retold.admitted.seal.contract)
            fields = {r.recipient: r.fields for r in retold.decision.receipts if r.outcome == "released"}
            for party, shown in self._case.said[event.id].shown.items():
                by_field = {
                    name: [rule for rule in shown.rules if name in contract.rule[rule].release]
                    for name in fields[party]
                }
                for name, rules in by_field.items():
                    yield self._known(contract, party, event.id, event.id, name, rules)
                for name in sorted({name for names in shown.refs.values() for name in names}):
                    rules = [rule for rule, names in shown.refs.items() if name in names]
                    yield self._known(contract, party, event.id, event.id, name, rules)
                for name in sorted({name for names in shown.earlier.values() for name in names}):
                    rules = [rule for rule, names in shown.earlier.items() if name in names]
                    for source in earlier_sources(self._case, event.id, place, name):
                        yield self._known(contract, party, event.id, source, name, rules)
                if not (fields[party] or shown.refs or shown.earlier):
                    yield self._known(contract, party, event.id, event.id, _EVENT, list(shown.rules))

    def _known(  # noqa: PLR0913, PLR0917 - a showing is of all these
        self, contract: Contract, party: str, shown_with: str, said_by: str, name: str, rules: list[str]
    ) -> Known:
        standing, why = self._standing(contract, party, shown_with, said_by, rules)
        return Known(
            party, said_by, self._case.said[said_by].type, name, standing, why, self._opens(party, said_by, name)
        )

    def _standing(
        self, contract: Contract, party: str, shown_with: str, said_by: str, rules: list[str]
    ) -> tuple[Standing, str | None]:
        of = [(id_, data.reason) for id_, data in self._corrections if data.corrects == said_by]
        answers = {self._answers.get((party, id_)) for id_, _ in of}
        recalled = next((reason for _, reason in of if reason in RECALLING), None)
        if recalled:
            return ("deleted" if "deleted" in answers else "to_delete"), recalled
        if rules and all(self._lapsed(contract, party, shown_with, rule) for rule in rules):
            return "to_delete", "consent_withdrawn"
        if of:
            done: Standing = "deleted" if "deleted" in answers else "corrected" if "corrected" in answers else "wrong"
            return done, of[0][1]
        return "known", None

    def _lapsed(self, contract: Contract, party: str, event: str, id_: str) -> bool:
        rule = contract.rule[id_]
        on_consent = _ON_CONSENT in rule.gate.obligations
        return on_consent and failure(contract, self._case, event, rule, party) is not None

    def _opens(self, party: str, said_by: str, name: str) -> bool:
        said = self._case.said[said_by]
        ref = said.refs.get(name)
        if ref is None or ref in self._gone:
            return False
        deposit = Deposit(ref, said.party, self._case.id, name)
        return isinstance(may_read(self._in_force, self._case, deposit, party, self._now), Reading)
