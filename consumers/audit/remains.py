"""What may be left of an erased case: its stub, its receipts, and what its recipients were told of the erasure.

Its log is gone, so nothing of it can be derived again. Its stub says instead how many receipts there must be and their
running digest; these say what each recipient was shown of the erasure, with the salt that the stub keeps. A log record
or a view that its tombstone follows is only not compacted yet; one that none follows was kept though the case is gone.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from consumers.audit.evidence import Mark, Stored, header, key_of, mark
from consumers.audit.findings import Fault, Finding, of_mark
from consumers.audit.receipts import Slip, slip_of
from consumers.audit.share import home_of
from schemas import state, topics
from schemas.case import Chain, Erased, Hold
from schemas.case import key_of as state_key
from schemas.check import BUS
from schemas.envelope import Event
from schemas.errors import StateError
from schemas.events.city import CaseErased
from schemas.receipt_chain import chained
from schemas.value import Value
from schemas.views import View, heading_of, view_digest, view_id

Buried = Mapping[tuple[str, str | None], Mark]  # tombstones among the views, the newest of each


class _Stub(Value, frozen=True):
    """A stub, the event that it tells of, and when the broker took it (milliseconds since 1970)."""

    erased: Erased
    event: Event
    written_at: int


class _Shown(Value, frozen=True):
    """A view of an erased case; `view` where it tells of the erasure."""

    mark: Mark
    id: str | None
    view: View | None


class Remains:
    """The erased cases of an audit and what is found of them: all states first, then views and receipts, then log."""

    def __init__(self, views_since: int, receipts_since: int) -> None:
        """Take since when (milliseconds since 1970) what was written must still be there."""
        self._since = (views_since, receipts_since)
        self._stubs: dict[str, _Stub] = {}
        self._log: dict[tuple[str, bytes | None], Mark] = {}
        self._views: dict[str, list[_Shown]] = {}
        self._receipts: dict[str, list[tuple[Slip, bytes]]] = {}

    def see_state(self, stored: Stored) -> bool:
        """Take a state, the newest of its key so far; say whether it is a stub or a hold, as the bus writes them."""
        key, found = key_of(stored.record) or "", _state(stored)
        self._stubs.pop(key, None)
        if isinstance(found, _Stub):
            self._stubs[key] = found
        return found is not None

    def holds(self, case: str | None, partition: int) -> bool:
        """Whether the case was erased and has its place in that partition."""
        return case in self._stubs and home_of(case) == partition

    def see_log(self, stored: Stored, case: str) -> None:
        """Take a log record of an erased case. A tombstone answers for all before it."""
        place = (case, stored.record.key)
        if stored.record.value is None:
            self._log.pop(place, None)
        else:
            self._log[place] = mark(stored, case)

    def see_view(self, stored: Stored, case: str) -> None:
        record = stored.record
        told = _told(stored, case) if key_of(record) == self._farewell(case, record.topic) else None
        self._views.setdefault(case, []).append(_Shown(mark(stored, case), key_of(record), told))

    def see_receipt(self, stored: Stored, case: str) -> None:
        self._receipts.setdefault(case, []).append((slip_of(stored), stored.record.value or b""))

    def findings(self, buried: Buried, moving: frozenset[tuple[int, str]]) -> Iterator[Finding]:
        """Yield what should not be so. A case that moved meanwhile is not told of."""
        kept = ((case, found) for (case, _), found in self._log.items())
        yield from (
            of_mark("log", "surplus", found, "kept") for case, found in kept if (home_of(case), case) not in moving
        )
        for case, stub in self._stubs.items():
            if (home_of(case), case) not in moving:
                yield from self._of_receipts(case, stub)
                yield from self._of_views(case, stub, buried)

    def _farewell(self, case: str, topic: str) -> str:
        event = self._stubs[case].event
        return view_id(event.party, event.case, event.id, topics.party_of(topic))

    def _of_receipts(self, case: str, stub: _Stub) -> Iterator[Finding]:
        found, due = _chain(self._receipts.get(case, ())), stub.erased.receipts
        aged = stub.written_at < self._since[1]
        if found != due and not (aged and found.count < due.count):
            fault, why = _difference(found, due)
            yield Finding("receipt", fault, topics.LEDGER, home_of(case), None, why, case)

    def _of_views(self, case: str, stub: _Stub, buried: Buried) -> Iterator[Finding]:
        erased, aged = stub.erased, stub.written_at < self._since[0]
        slips = {s.identity.recipient: s for s, _ in self._receipts.get(case, ()) if s.identity.event == erased.event}
        due = {party: s.view_digest for party, s in slips.items() if party is not None and s.view_digest is not None}
        yield from _strangers(case, erased, due)
        told: set[str] = set()
        for shown in self._views.get(case, ()):
            grave = buried.get((shown.mark.topic, shown.id))
            if shown.view is None:
                if grave is None or grave.offset < shown.mark.offset:
                    yield of_mark("view", "surplus", shown.mark, "kept")
                continue
            yield from _of_farewell(erased, shown.view, shown.mark, due)
            if grave is not None:
                yield of_mark("view", "changed", grave, "erased", erased.event)
            if shown.view.recipient in told:
                yield of_mark("view", "surplus", shown.mark, "doubled", erased.event)
            told.add(shown.view.recipient)
        for party in () if aged else sorted(due.keys() - told):
            yield Finding("view", "missing", topics.views(party), 0, None, "absent", case, erased.event, party)


def _of_farewell(erased: Erased, view: View, found: Mark, due: Mapping[str, str]) -> Iterator[Finding]:
    """Yield where a view that tells of the erasure is not the one that its receipt speaks of."""
    if view.recipient not in due:
        yield of_mark("view", "surplus", found, "no_event", erased.event)
    elif view_digest(erased.salt, view) != due[view.recipient]:
        yield of_mark("view", "changed", found, "receipted", erased.event)


def _strangers(case: str, erased: Erased, due: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding where the stub names others than those who were told."""
    if not due.keys() <= set(erased.recipients):
        yield Finding("state", "changed", topics.CASES, home_of(case), None, "recipients", case, erased.event)


def _chain(receipts: Iterable[tuple[Slip, bytes]]) -> Chain:
    chain = Chain()
    for _, of_event in groupby(receipts, key=lambda receipt: receipt[0].identity.event):
        chain = chained(chain, [value for _, value in of_event])
    return chain


def _difference(found: Chain, due: Chain) -> tuple[Fault, str]:
    if found.count < due.count:
        return "missing", "absent"
    return ("surplus", "no_event") if found.count > due.count else ("changed", "chain")


def _told(stored: Stored, case: str) -> View | None:
    """Return the view that a record is, if it has the form of one that tells of an erasure."""
    record = stored.record
    names = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_causationid")
    id_, type_, source, time, event = (header(record.headers, name) for name in names)
    if not (id_ and type_ and source and time and event and record.value):
        return None
    view = View(topics.party_of(record.topic), id_, heading_of(type_, source, case, time, event), record.value)
    return view if record.headers == view.headers() else None


def _state(stored: Stored) -> _Stub | Hold | None:
    """Return the stub or the hold that a record is: by its form, and in the place of its case."""
    record = stored.record
    try:
        found = state.decode(record.value or b"")
    except StateError:
        return None
    if not isinstance(found, Erased | Hold) or state.encode(found) != record.value:
        return None
    case = found.case if isinstance(found, Erased) else found.held
    if home_of(case) != record.partition or state_key(found).encode() != record.key:
        return None
    return found if isinstance(found, Hold) else _stub(found, stored.written_at)


def _stub(erased: Erased, written_at: int) -> _Stub | None:
    try:
        said = CaseErased.model_validate({"reason": erased.reason, "recipients": erased.recipients})
    except ValueError:  # pydantic's
        return None
    return _Stub(erased, Event(erased.event, BUS, "case-erased", erased.case, erased.at, said), written_at)
