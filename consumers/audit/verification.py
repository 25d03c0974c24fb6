"""The audit itself: everything that must follow from the log, held against everything that is there.

Feed it the states first, since they say what was erased; then what else stands on the topics, then the log; then ask
for the report. Views, receipts and states are
kept as marks (where, and a hash), so that memory grows with their number and not with their size. Nothing is
compared across partitions, and a view is one of the case that it names; so a share of the bus can be audited alone.
"""

from collections import Counter
from dataclasses import dataclass

from consumers.audit.evidence import Mark, Stored, about, agrees, case_in_key, identifier, is_sweep, key_of, mark
from consumers.audit.findings import Finding, Report, in_order, of_absent, of_log, of_mark
from consumers.audit.receipts import Identity, Slip, is_read, slip_of
from consumers.audit.remains import Remains
from consumers.audit.retelling import Retelling, Retold, has_its_form
from consumers.audit.share import home_of
from schemas import state, topics
from schemas.case import HOLD_PREFIX
from schemas.contract import Contracts
from schemas.outputs import receipt_record, state_record, view_record
from schemas.views import Receipt, View

ViewKey = tuple[str, str | None, str | None]  # its topic, what it is about, its id


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on (milliseconds since 1970) what was written must still be there: older may have aged out."""

    views_since: int = 0
    receipts_since: int = 0


class Verification:
    """One audit: `see_state` for all, `see_view` and `see_receipt` for all, `see_log` in order, then `report`."""

    def __init__(self, contracts: Contracts, kept: Kept = Kept()) -> None:
        """Start with nothing seen."""
        self._contracts = contracts
        self._kept = kept
        self._retelling = Retelling(contracts)
        self._remains = Remains(kept.views_since, kept.receipts_since)
        self._views: dict[ViewKey, list[Mark]] = {}
        self._buried: dict[tuple[str, str | None], Mark] = {}
        self._taken_out: dict[Finding, str] = {}  # views that were, of cases that stand
        self._slips: dict[Identity, list[Slip]] = {}
        self._states: dict[tuple[int, bytes | None], Mark | None] = {}  # None: by its form alone it is in order
        self._in_motion: set[tuple[int, str]] = set()  # by partition: elsewhere a case does not move
        self._findings: list[Finding] = []
        self._seen: Counter[str] = Counter()

    def see_view(self, stored: Stored) -> None:
        record, id_ = stored.record, key_of(stored.record)
        if is_sweep(record):
            return
        of = about(record.headers)
        if record.value is None:
            self._buried[record.topic, id_] = mark(stored, of)
            return
        self._seen["views"] += 1
        if of is not None and self._remains.holds(of, home_of(of)):
            self._remains.see_view(stored, of)
            return
        self._views.setdefault((record.topic, of, id_), []).append(mark(stored, of))

    def see_receipt(self, stored: Stored) -> None:
        record = stored.record
        if record.partition == topics.VAULT_PARTITION:
            self._seen["vault_reads"] += 1
            if not is_read(record, self._contracts):
                self._findings.append(of_mark("vault_read", "malformed", mark(stored), "receipt_form"))
            return
        self._seen["receipts"] += 1
        of = key_of(record)
        if of is not None and self._remains.holds(of, record.partition):
            self._remains.see_receipt(stored, of)
            return
        slip = slip_of(stored)
        self._slips.setdefault(slip.identity, []).append(slip)

    def see_state(self, stored: Stored) -> None:
        """Take a state; the newest of a key counts, as for every reader of a compacted topic."""
        record = stored.record
        if is_sweep(record):
            return
        place = (record.partition, record.key)
        if place not in self._states:
            self._seen["states"] += 1
        released = record.value is None and (key_of(record) or "").startswith(HOLD_PREFIX)
        in_order_ = self._remains.see_state(stored) or released
        self._states[place] = None if in_order_ else mark(stored, key_of(record))

    def see_motion(self, stored: Stored) -> None:
        """Take a log record that came after the audit began: what concerns its case may be newer than the log seen."""
        record = stored.record
        if of := about(record.headers) or case_in_key(record):  # a tombstone has its key alone
            self._in_motion.add((record.partition, of))

    def see_log(self, stored: Stored) -> None:
        record, of = stored.record, case_in_key(stored.record)
        if is_sweep(record):
            return
        self._seen["log"] += 1
        if of is not None and self._remains.holds(of, record.partition):
            self._remains.see_log(stored, of)
            return
        retold = self._retelling.tell(stored)
        if isinstance(retold, Finding):
            self._findings.append(retold)
            return
        if not has_its_form(retold):
            self._findings.append(of_log(stored, "form"))
        views = {view.recipient: view for view in retold.decision.views}
        receipts = {receipt.recipient: receipt for receipt in retold.decision.receipts}
        self._compare(retold, views, receipts)

    def report(self) -> Report:
        """Say what was found: what the log led to is done, and what is left over has no ground."""
        self._compare_states()
        left_views = [found for marks in self._views.values() for found in marks]
        self._findings.extend(
            of_mark("view", "surplus", m, "no_event") for m in left_views if not self._moves(home_of(m.about), m)
        )
        left = [slip for slips in self._slips.values() for slip in slips]
        self._findings.extend(
            of_mark("receipt", "surplus", s.mark, "no_event", identifier(s.identity.event))
            for s in left
            if not self._moves(s.mark.partition, s.mark)
        )
        self._findings.extend(self._remains.findings(self._buried, frozenset(self._in_motion)))
        # What was taken out of a case in motion: its erasure may have come after the states were read.
        moved = {found for found, key in self._taken_out.items() if (home_of(key), key) in self._in_motion}
        self._findings = [finding for finding in self._findings if finding not in moved]
        seen, found = self._seen, in_order(self._findings)
        return Report(seen["log"], seen["views"], seen["receipts"], seen["vault_reads"], seen["states"], found)

    def _moves(self, partition: int, found: Mark) -> bool:
        return (partition, found.about) in self._in_motion

    def _compare(self, retold: Retold, views: dict[str, View], receipts: dict[str, Receipt]) -> None:
        found: list[Finding] = []
        disagreeing = False
        for recipient in sorted(views.keys() | receipts.keys()):
            on_view = self._view(retold, views[recipient]) if recipient in views else []
            on_receipt, other_digest = self._receipt(retold, receipts[recipient])
            # Two witnesses that both contradict the log, the receipt in the digest of what was shown.
            if other_digest and any(f.fault != "surplus" for f in on_view):
                disagreeing = True
            else:
                found += [*on_view, *on_receipt]
        if disagreeing:
            found.append(of_log(retold.stored, "disagrees"))
        self._findings.extend(found)

    def _view(self, retold: Retold, view: View) -> list[Finding]:
        event = retold.admitted.event
        due = view_record(view)
        marks = self._views.pop((due.topic, event.key, view.id), [])
        if buried := self._buried.get((due.topic, view.id)):
            found = of_mark("view", "changed", buried, "erased", event.id)
            self._taken_out[found] = event.key
            return [found]
        if not marks:
            aged = retold.stored.written_at < self._kept.views_since
            return [] if aged else [of_absent("view", due, event.case, event.id, view.recipient)]
        first = next((m for m in marks if agrees(m, due)), None)
        others = [m for m in marks if m is not first]
        wrong = [of_mark("view", "changed", m, "derived", event.id) for m in others if not agrees(m, due)]
        doubled = [of_mark("view", "surplus", m, "doubled", event.id) for m in others if agrees(m, due)]
        return [*wrong, *doubled]

    def _receipt(self, retold: Retold, receipt: Receipt) -> tuple[list[Finding], bool]:
        """Compare one receipt; also say whether one is there that tells of another view than the derived one."""
        event = retold.admitted.event
        due = receipt_record(event, receipt)
        slips = self._slips.pop(Identity(due.partition, event.key, event.id, receipt.recipient), [])
        if not slips:
            aged = retold.stored.written_at < self._kept.receipts_since
            return ([] if aged else [of_absent("receipt", due, event.case, event.id, receipt.recipient)]), False
        first = next((s for s in slips if agrees(s.mark, due)), None)
        others = [s for s in slips if s is not first]
        wrong = [s for s in others if not agrees(s.mark, due)]
        doubled = [of_mark("receipt", "surplus", s.mark, "doubled", event.id) for s in others if s not in wrong]
        changed = [of_mark("receipt", "changed", s.mark, "derived", event.id) for s in wrong]
        return [*changed, *doubled], any(s.view_digest != receipt.view_digest for s in wrong)

    def _compare_states(self) -> None:
        for key, held in self._retelling.held.items():
            due = state_record(key, state.encode(held.state), held.contract)
            found = self._states.pop((due.partition, due.key), None)
            if (due.partition, key) in self._in_motion:
                continue
            if found is None:
                self._findings.append(of_absent("state", due, identifier(key), None))
            elif not agrees(found, due):
                self._findings.append(of_mark("state", "changed", found, "derived"))
        left = [m for m in self._states.values() if m is not None and not self._moves(m.partition, m)]
        self._findings.extend(of_mark("state", "surplus", m, "no_event") for m in left)
