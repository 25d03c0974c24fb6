"""The check of a run: a fresh fold over the log, and everything else held against it.

Pure: what was found and what the publishers know goes in, a Result comes out. The fold is by the bus's own pure
functions, as every replay is; whether the policy allows what left is asked of its text, and of no code of the bus.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas import state
from schemas.case import State
from schemas.contract import Contracts
from schemas.records import Outbound
from tests.chaos import answers, disclosure, order, verdict_table
from tests.chaos.disclosure import Told
from tests.chaos.findings import Counts, Finding, Flaw, Result
from tests.chaos.fold import folded
from tests.chaos.found import Found, Journal, Records, headers_of, outbound, place
from tests.chaos.policy_reading import Policy, in_force
from tests.chaos.said import Said, said_of, shown_of
from tests.speech import Saying


def check(found: Found, journals: Sequence[Journal], contracts: Contracts, policies: Sequence[Policy]) -> Result:
    """Return what is wrong with a run."""
    given = [*map(answers.of_log, found.log), *map(answers.of_refusals, found.refusals)]
    fold = folded(found.log, contracts)
    findings = [
        *answers.findings(given, journals),
        *answers.undue(found.refusals, journals, fold),
        *_contents(found.log, journals),
        *(Finding(Flaw.DEAD, place(letter)) for letter in found.dead),
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
        refused=sum(not answer.accepted for answer in given),
        duplicates=sum(answer.duplicate for answer in given),
        views=len(found.views),
        receipts=len(found.ledger),
        cases=len(fold.states),
    )
    return Result(counts, tuple(findings), Counter(finding.flaw for finding in findings))


def _contents(log: Records, journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield what stands in the log otherwise than its publisher said it."""
    meant = {(journal.party, line.saying.id): line.saying for journal in journals for line in journal.lines}
    for record in log:
        said = said_of(record)
        saying = meant.get((said.party, said.id))
        if saying is None or _words(saying) != _words(said):
            yield Finding(Flaw.ALTERED, f"never said so: {place(record)}")


def _words(said: Saying | Said) -> tuple[str, str | None, str, Mapping[str, Any]]:
    return said.type, said.case, said.time, said.data


def _outputs(written: Records, due: Sequence[Outbound], undue: Flaw) -> Iterator[Finding]:
    """Yield what was not written exactly as often as it is due, byte for byte, or not in each case's order."""
    found = [*map(outbound, written)]
    there, wanted = Counter(found), Counter(due)
    for record, n in (wanted - there).items():
        yield from [Finding(Flaw.LOST, _output(record))] * n
    for record, n in (there - wanted).items():
        yield from [Finding(Flaw.TWICE if record in wanted else undue, _output(record))] * n

    if there == wanted:
        in_order = order.of_each_case(due)
        for case, records in order.of_each_case(found).items():
            if records != in_order[case]:
                yield Finding(Flaw.OUT_OF_ORDER, "/".join(map(str, case)))


def _states(cases: Records, folded: Mapping[str, State]) -> Iterator[Finding]:
    newest = {(record.key or b"").decode(): record.value for record in cases}
    for key in sorted(newest.keys() | folded.keys()):
        if key not in folded or newest.get(key) != state.encode(folded[key]):
            yield Finding(Flaw.STATE, f"state of {key}")


def _disclosures(found: Found, policies: Sequence[Policy]) -> Iterator[Finding]:
    """Yield the views that the policy's own text does not allow."""
    events = _events(found.log)
    views = [(record, shown_of(record)) for record in found.views]
    told = Told()
    for _, view in views:
        if view.event in events:
            told.add(view)
    for record, view in views:
        event = events.get(view.event)
        if event is None:
            yield Finding(Flaw.WRONGLY_DISCLOSED, f"of nothing in the log: {place(record)}")
            continue
        policy = in_force(policies, event.recorded)
        for objection in disclosure.objections(policy, view, event, told):
            yield Finding(Flaw.WRONGLY_DISCLOSED, f"{objection}: {place(record)}")


def _events(log: Records) -> dict[str, Said]:
    cases: dict[str | None, list[Said]] = defaultdict(list)
    events: dict[str, Said] = {}
    for record in log:
        case = headers_of(record).get("ce_subject")
        said = said_of(record, cases[case] if case else ())
        if case:
            cases[case].append(said_of(record))
        events[said.id] = said
    return events


def _output(record: Outbound) -> str:
    return f"{record.topic}/{record.partition} {(record.key or b'').decode()}"
