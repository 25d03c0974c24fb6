"""A chaos run on paper, without a flaw, and how to plant one in it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from schemas import contract_files, outputs, topics
from schemas.admission import admit
from schemas.canonical import canonical
from schemas.envelope import Admitted, Event, Seal
from schemas.judge import Judgement
from schemas.records import Inbound, Outbound
from schemas.state import encode
from schemas.verdicts import Refusal, Verdict, answer
from tests.chaos import checker, lives, policy_reading
from tests.chaos.findings import Result
from tests.chaos.found import Found, Journal
from tests.chaos.journal import Acknowledged
from tests.chaos.lives import Line
from tests.contracts import POLICIES
from tests.unit.scenarios import Bus, contract, sealed

NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
HTTP_PARTY = "buf"
BLOCKS = 8
NEW_ID = "00000000-0000-4000-8000-000000000000"


@dataclass
class Writing:
    """A bus on paper: judges by the pure functions, and keeps what it writes."""

    bus: Bus = field(default_factory=lambda: Bus(contract(), NOW))
    records: list[Inbound] = field(default_factory=list)
    inbox: Counter[str] = field(default_factory=Counter)
    ends: Counter[tuple[str, int]] = field(default_factory=Counter)
    verdicts: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def hear(self, line: Line) -> Acknowledged:
        saying, party = line.saying, line.saying.party
        offset = self.inbox[party]
        self.inbox[party] += 1
        event = admit(self.bus.contract, party, saying.headers, saying.value, NOW)
        verdict: Verdict
        if isinstance(event, Event):
            seal = sealed(self.bus.contract, event, NOW).seal
            admitted = Admitted(event, Seal(seal.recorded, seal.salt, seal.contract, offset))
            judgement = self.bus.judge(admitted)
            verdict = judgement.verdict
            self._write(*_accepted(admitted, judgement))
        else:
            judgement, verdict = None, event
        if judgement is None or judgement.decision is None:
            self._write(answer(party, verdict, offset))
        self.verdicts.setdefault((party, saying.id), set()).add(_word(verdict))
        return Acknowledged(party, saying.id, saying.case, None if party == HTTP_PARTY else offset)

    def _write(self, *records: Outbound) -> None:
        for record in records:
            place = (record.topic, record.partition)
            self.records.append(Inbound(*place, self.ends[place], record.key, record.value, record.headers))
            self.ends[place] += 1

    def of(self, *names: str) -> tuple[Inbound, ...]:
        kept = (record for record in self.records if record.topic in names)
        return tuple(sorted(kept, key=lambda record: (record.topic, record.partition, record.offset)))


def _accepted(admitted: Admitted, judgement: Judgement) -> Iterator[Outbound]:
    if (decision := judgement.decision) is not None:
        yield outputs.log_record(admitted, decision.withheld)
        yield from map(outputs.view_record, decision.views)
        yield from (outputs.receipt_record(admitted.event, receipt) for receipt in decision.receipts)
        yield outputs.state_record(admitted.event.key, encode(judgement.state), admitted.seal.contract)


def _word(verdict: Verdict) -> str:
    if isinstance(verdict, Refusal):
        return verdict.reason
    return "duplicate" if verdict.duplicate else "accepted"


@cache
def played() -> tuple[Found, tuple[Journal, ...]]:
    """Return a run without a flaw: the parties' blocks in turn, the last acknowledgement of each said twice."""
    writing = Writing()
    said: dict[str, list[Line]] = {party: [] for party in lives.PARTIES}
    known: dict[str, list[Acknowledged]] = {party: [] for party in lives.PARTIES}
    telling = {party: lives.blocks(party, 7, NOW) for party in lives.PARTIES}
    for _ in range(BLOCKS):
        for party, blocks in telling.items():
            lines = [line for block in islice(blocks, 1) for line in lives.interleaved(block)]
            said[party] += lines
            known[party] += [writing.hear(line) for line in [*lines, lines[-1]]]
    parties = tuple(writing.bus.contract.parties)
    found = Found(
        log=writing.of(topics.LOG),
        refusals=writing.of(*map(topics.refusals, parties)),
        dead=(),
        views=writing.of(*map(topics.views, parties)),
        ledger=writing.of(topics.LEDGER),
        cases=writing.of(topics.CASES),
        verdicts={key: frozenset(words) for key, words in writing.verdicts.items()},
    )
    journals = (
        Journal(party, tuple(said[party]), tuple(known[party]), over_http=party == HTTP_PARTY) for party in said
    )
    return found, tuple(journals)


def checked(found: Found, journals: Iterable[Journal] | None = None) -> Result:
    own = played()[1] if journals is None else tuple(journals)
    return checker.check(found, own, contract_files.load_all(POLICIES), policy_reading.read_all(POLICIES))


def without(records: tuple[Inbound, ...], at: int) -> tuple[Inbound, ...]:
    return (*records[:at], *records[at + 1 :])


def like(record: Inbound, **changes: Any) -> Inbound:
    names = ("topic", "partition", "offset", "key", "value", "headers")
    return Inbound(**{name: changes.get(name, getattr(record, name)) for name in names})


def changed(records: tuple[Inbound, ...], at: int, **changes: Any) -> tuple[Inbound, ...]:
    return (*records[:at], like(records[at], **changes), *records[at + 1 :])


def rewritten(records: tuple[Inbound, ...], at: int, change: Callable[[dict[str, Any]], None]) -> tuple[Inbound, ...]:
    """Return the records with the JSON value of one changed."""
    value = json.loads(records[at].value or b"")
    change(value)
    return changed(records, at, value=canonical(value))


def place_of(records: tuple[Inbound, ...], is_it: Callable[[Inbound], bool]) -> int:
    return next(at for at, record in enumerate(records) if is_it(record))
