"""The independent check of a run: its own fold over the log, and everything else held against it.

Pure: what was found and what the publishers know goes in, a Result comes out. Of the bus's own code it calls the
pure functions that replay one event and that write its outputs, nothing else.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas import admission, judge, outputs, state
from schemas.case import State
from schemas.contract import Contracts
from schemas.envelope import Admitted
from schemas.errors import MalformedError
from schemas.records import Inbound, Outbound
from tests.chaos import disclosure, order, verdict_table
from tests.chaos.disclosure import Said, Told
from tests.chaos.findings import Counts, Finding, Flaw, Result
from tests.chaos.found import Found, Journal, Records, headers_of
from tests.chaos.policy_reading import Policy, in_force


@dataclass(frozen=True, slots=True)
class Answer:
    """What one submission led to: a record of the log, or one of its publisher's refusals."""

    party: str
    id: str
    offset: int | None
    accepted: bool
    duplicate: bool = False


def check(found: Found, journals: Sequence[Journal], contracts: Contracts, policies: Sequence[Policy]) -> Result:
    """Return what is wrong with a run."""
    answers = [*map(_accepted, found.log), *map(_answered, found.refusals)]
    fold = _folded(found.log, contracts)
    findings = [
        *_answers(answers, journals),
        *_contents(found.log, journals),
        *(Finding(Flaw.DEAD, _place(letter)) for letter in found.dead),
        *order.findings(found.log, found.refusals, journals),
        *fold.findings,
        *_outputs(found.views, fold.views, Flaw.WRONGLY_DISCLOSED),
        *_outputs(found.ledger, fold.receipts, Flaw.ALTERED),
        *_states(found.cases, fold.states),
        *_disclosures(found, policies),
        *verdict_table.findings(found, journals),
    ]
    counts = Counts(
        events=len(found.log),
        acknowledged=sum(len(journal.acknowledged) for journal in journals),
        refused=sum(not answer.accepted for answer in answers),
        duplicates=sum(answer.duplicate for answer in answers),
        views=len(found.views),
        receipts=len(found.ledger),
        cases=len(fold.states),
    )
    return Result(counts, tuple(findings), Counter(finding.flaw for finding in findings))


def _accepted(record: Inbound) -> Answer:
    headers = headers_of(record)
    place = headers.get("ce_inboxoffset")
    party = headers["ce_source"].rpartition(":")[2]
    return Answer(party, headers["ce_id"], None if place is None else int(place), accepted=True)


def _answered(record: Inbound) -> Answer:
    place, body = headers_of(record).get("ce_inboxoffset"), json.loads(record.value or b"{}")
    offset = None if place is None else int(place)
    duplicate = bool(body.get("duplicate"))
    return Answer(record.topic.split(".")[2], str(body["id"]), offset, body["verdict"] == "accepted", duplicate)


def _answers(answers: Sequence[Answer], journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield what was acknowledged and not judged once."""
    by_place = Counter((answer.party, answer.offset) for answer in answers if answer.offset is not None)
    yield from (Finding(Flaw.TWICE, f"judged: {party}@{at}") for (party, at), n in by_place.items() if n > 1)
    in_log = Counter((answer.party, answer.id) for answer in answers if answer.accepted and not answer.duplicate)
    yield from (Finding(Flaw.TWICE, f"in the log: {party} {id_}") for (party, id_), n in in_log.items() if n > 1)
    repeated = {(answer.party, answer.id) for answer in answers if answer.duplicate}
    yield from (Finding(Flaw.LOST, f"a duplicate of nothing: {id_}") for party, id_ in repeated - in_log.keys())
    told = {(answer.party, answer.id) for answer in answers}
    placed = {(answer.party, answer.id, answer.offset) for answer in answers}
    for journal in journals:
        sure = {line.saying.id for line in journal.lines if line.sure}
        for known in journal.acknowledged:
            place = (known.party, known.id, known.offset)
            if place not in placed if known.offset is not None else place[:2] not in told:
                yield Finding(Flaw.LOST, f"acknowledged: {known.party} {known.id} @{known.offset}")
            elif known.id in sure and place[:2] not in in_log:
                yield Finding(Flaw.LOST, f"refused for no reason: {known.party} {known.id}")


def _contents(log: Records, journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield what stands in the log otherwise than its publisher said it."""
    meant = {(journal.party, line.saying.id): line.saying for journal in journals for line in journal.lines}
    for record in log:
        said = disclosure.said_of(record)
        saying = meant.get((said.party, said.id))
        if saying is None or (saying.type, saying.case, saying.data) != (said.type, said.case, said.data):
            yield Finding(Flaw.ALTERED, f"never said so: {_place(record)}")


@dataclass(slots=True)
class _Fold:
    """What follows from the log, by the pure functions."""

    states: dict[str, State] = field(default_factory=dict)
    views: list[Outbound] = field(default_factory=list)
    receipts: list[Outbound] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def _folded(log: Records, contracts: Contracts) -> _Fold:
    fold = _Fold()
    for record in log:
        try:
            admitted = admission.unseal(record)
        except MalformedError:
            fold.findings.append(Finding(Flaw.ALTERED, f"unreadable: {_place(record)}"))
        else:
            _replay(fold, record, admitted, contracts)
    return fold


def _replay(fold: _Fold, record: Inbound, admitted: Admitted, contracts: Contracts) -> None:
    key = admitted.event.key
    before = fold.states.get(key) or state.empty(key)
    contract = contracts.named(admitted.seal.contract)
    fold.states[key], decision = judge.replay(contract, before, admitted)
    fold.views += [outputs.view_record(view) for view in decision.views]
    fold.receipts += [outputs.receipt_record(admitted.event, receipt) for receipt in decision.receipts]
    if headers_of(record).get("ce_withheld", "") != ",".join(decision.withheld):
        fold.findings.append(Finding(Flaw.ALTERED, f"withheld: {_place(record)}"))


def _outputs(written: Records, due: Iterable[Outbound], undue: Flaw) -> Iterator[Finding]:
    """Yield what was not written exactly as often as it is due, byte for byte."""
    there, wanted = Counter(map(_outbound, written)), Counter(due)
    for record, n in (wanted - there).items():
        yield from [Finding(Flaw.LOST, _output(record))] * n
    for record, n in (there - wanted).items():
        yield from [Finding(Flaw.TWICE if record in wanted else undue, _output(record))] * n


def _outbound(record: Inbound) -> Outbound:
    return Outbound(record.topic, record.partition, record.key, record.value, record.headers)


def _states(cases: Records, folded: Mapping[str, State]) -> Iterator[Finding]:
    newest = {(record.key or b"").decode(): record.value for record in cases}
    for key in sorted(newest.keys() | folded.keys()):
        if key not in folded or newest.get(key) != state.encode(folded[key]):
            yield Finding(Flaw.STATE, f"state of {key}")


def _disclosures(found: Found, policies: Sequence[Policy]) -> Iterator[Finding]:
    """Yield the views that the policy's own text does not allow."""
    events = _events(found.log)
    views = [(record, disclosure.shown_of(record)) for record in found.views]
    told = Told()
    for _, view in views:
        if view.event in events:
            told.add(events[view.event].case or "", view.event, view.recipient)
    for record, view in views:
        event = events.get(view.event)
        if event is None:
            yield Finding(Flaw.WRONGLY_DISCLOSED, f"of nothing in the log: {_place(record)}")
            continue
        policy = in_force(policies, event.recorded)
        for objection in disclosure.objections(policy, view, event, told):
            yield Finding(Flaw.WRONGLY_DISCLOSED, f"{objection}: {_place(record)}")


def _events(log: Records) -> dict[str, Said]:
    cases: dict[str | None, list[Said]] = defaultdict(list)
    events: dict[str, Said] = {}
    for record in log:
        case = headers_of(record).get("ce_subject")
        said = disclosure.said_of(record, cases[case] if case else ())
        if case:
            cases[case].append(disclosure.said_of(record))
        events[said.id] = said
    return events


def _place(record: Inbound) -> str:
    return f"{record.topic}/{record.partition}@{record.offset}"


def _output(record: Outbound) -> str:
    return f"{record.topic}/{record.partition} {(record.key or b'').decode()}"
