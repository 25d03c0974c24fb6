"""Whether all that was acknowledged is judged once, and every answer is one that its submission must get.

An answer is a record of the log, or one on its publisher's topic of refusals. Under which state a refused event was
judged nobody can tell to the event; so its answer must be, to the byte, what one of those states gives that its case
went through between what the same party had said of it before and what it said afterwards.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from schemas.records import Inbound, Outbound
from schemas.verdicts import answer
from tests.chaos.findings import Finding, Flaw
from tests.chaos.fold import Fold
from tests.chaos.found import Journal, Records, headers_of, outbound, place


@dataclass(frozen=True, slots=True)
class Answer:
    """What one submission led to. `offset`: its place in the inbox; None for what the gateway refused."""

    party: str
    id: str
    offset: int | None
    accepted: bool
    duplicate: bool = False


def of_log(record: Inbound) -> Answer:
    headers = headers_of(record)
    offset = headers.get("ce_inboxoffset")
    party = headers["ce_source"].rpartition(":")[2]
    return Answer(party, headers["ce_id"], None if offset is None else int(offset), accepted=True)


def of_refusals(record: Inbound) -> Answer:
    offset, body = headers_of(record).get("ce_inboxoffset"), json.loads(record.value or b"{}")
    at = None if offset is None else int(offset)
    duplicate = bool(body.get("duplicate"))
    return Answer(record.topic.split(".")[2], str(body["id"]), at, body["verdict"] == "accepted", duplicate)


def findings(answers: Sequence[Answer], journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield what was judged more than once, and what was acknowledged and not judged."""
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
            at = (known.party, known.id, known.offset)
            if at not in placed if known.offset is not None else at[:2] not in told:
                yield Finding(Flaw.LOST, f"acknowledged: {known.party} {known.id} @{known.offset}")
            elif known.id in sure and at[:2] not in in_log:
                yield Finding(Flaw.LOST, f"refused for no reason: {known.party} {known.id}")


def undue(refusals: Records, journals: Sequence[Journal], fold: Fold) -> Iterator[Finding]:
    """Yield the answers that nobody must have got: to who said nothing like it, or of another content."""
    meant = {(journal.party, line.saying.id): line.saying for journal in journals for line in journal.lines}
    over_http = {journal.party for journal in journals if journal.over_http}

    @cache
    def due(party: str, id_: str, offset: int | None) -> frozenset[Outbound]:
        return frozenset(answer(party, verdict, offset) for verdict in fold.answers(meant[party, id_], offset))

    for record in refusals:
        given = of_refusals(record)
        if (given.party, given.id) not in meant:
            yield Finding(Flaw.WRONGLY_DISCLOSED, f"an answer to what was never said: {place(record)}")
        elif given.offset is None and not (
            given.party in over_http and fold.admission_refusal(meant[given.party, given.id])
        ):
            yield Finding(Flaw.ALTERED, f"an answer to no place: {place(record)}")
        elif outbound(record) not in due(given.party, given.id, given.offset):
            yield Finding(Flaw.ALTERED, f"an answer that does not follow: {place(record)}")
