"""Whether the verdict table tells who speaks over HTTP what the topics say."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.findings import Finding, Flaw
from tests.chaos.found import Found, Journal, headers_of

ACCEPTED, DUPLICATE = "accepted", "duplicate"


def findings(found: Found, journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield the acknowledged events of HTTP publishers whose verdicts in the table are not the topics'."""
    said = _words(found)
    for journal in journals:
        if not journal.over_http:
            continue
        for id_ in sorted({known.id for known in journal.acknowledged}):
            if not (told := found.verdicts.get((journal.party, id_))):
                yield Finding(Flaw.VERDICT, f"none: {journal.party} {id_}")
            elif told != said.get((journal.party, id_)):
                yield Finding(Flaw.VERDICT, f"another: {journal.party} {id_}")


def word(body: dict[str, object]) -> str:
    """Return a verdict in one word: what became of it, or the reason."""
    return DUPLICATE if body.get("duplicate") else str(body.get("reason", body["verdict"]))


def _words(found: Found) -> dict[tuple[str, str], frozenset[str]]:
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in found.log:
        headers = headers_of(record)
        said[headers["ce_source"].rpartition(":")[2], headers["ce_id"]].add(ACCEPTED)
    for record in found.refusals:
        body = json.loads(record.value or b"{}")
        said[record.topic.split(".")[2], str(body["id"])].add(word(body))
    return {key: frozenset(words) for key, words in said.items()}
