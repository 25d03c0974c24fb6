"""Whether each case's log has what a publisher said in the order in which it was said."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from schemas.records import Inbound, Outbound
from tests.chaos.findings import Finding, Flaw
from tests.chaos.found import Journal, Records, headers_of

Place = tuple[str, str]  # party, case


def findings(log: Records, refusals: Records, journals: Sequence[Journal]) -> Iterator[Finding]:
    """Yield each event that stands before one that was said earlier, and each case in two partitions.

    An event that was refused first and said again is judged anew, later than what was said after it: it is held
    against its place in the inbox alone.
    """
    refused = {
        (record.topic.split(".")[2], json.loads(record.value or b"{}")["id"])
        for record in refusals
        if _is_refusal(record)
    }
    meant: dict[tuple[str, str], int] = {}
    for journal in journals:
        for at, line in enumerate(journal.lines):
            meant.setdefault((journal.party, line.saying.id), at)
    for (party, case), records in _by_case(log).items():
        where = f"{party} in {case}"
        if len({record.partition for record in records}) > 1:
            yield Finding(Flaw.OUT_OF_ORDER, f"in several partitions: {where}")
        inbox = [int(headers_of(record)["ce_inboxoffset"]) for record in records]
        said = [meant.get((party, id_), -1) for id_ in map(_id, records) if (party, id_) not in refused]
        for places, of in ((inbox, "inbox"), (said, "saying")):
            yield from (
                Finding(Flaw.OUT_OF_ORDER, f"{of} {one} before {other}: {where}")
                for one, other in pairwise(places)
                if one >= other
            )


def of_each_case(records: Iterable[Outbound]) -> dict[tuple[str, int, str], list[Outbound]]:
    """Return what was written of each case, or by each party beside any, in the order in which it was written."""
    found: dict[tuple[str, int, str], list[Outbound]] = defaultdict(list)
    for record in records:
        headers = {name: raw.decode() for name, raw in record.headers}
        whose = headers.get("ce_subject") or headers.get("ce_source") or (record.key or b"").decode()
        found[record.topic, record.partition, whose].append(record)
    return found


def _by_case(log: Records) -> dict[Place, list[Inbound]]:
    found: dict[Place, list[Inbound]] = defaultdict(list)
    for record in log:
        headers = headers_of(record)
        if "ce_subject" in headers:
            found[headers["ce_source"].rpartition(":")[2], headers["ce_subject"]].append(record)
    return found


def _id(record: Inbound) -> str:
    return headers_of(record)["ce_id"]


def _is_refusal(record: Inbound) -> bool:
    return bool(json.loads(record.value or b"{}").get("verdict") == "refused")
