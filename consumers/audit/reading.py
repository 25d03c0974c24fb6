"""The auditor's reading of the topics, in an order that a running bus cannot disturb.

First where the committed log ends; then everything else, whose ends are taken later and so hold all that follows from
that log, and of that the states first, since they say which cases are erased; then the log, and what came to it
meanwhile, which only says which cases were in motion. The ends are taken once, so that shares that are audited by
several processes are shares of one and the same bus.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from consumers.audit.evidence import Stored
from consumers.audit.findings import Report
from consumers.audit.share import EVERYTHING, Share, places_of
from consumers.audit.verification import Kept, Verification
from consumers.kept_records import Ends, OpenConsumer, Place, ends_of, inbound, kept
from schemas import topics
from schemas.contract import Contracts

_SOME = 1_000

Progress = Callable[[int], None]  # how many records more


@dataclass(frozen=True, slots=True)
class Extent:
    """What an audit is of: the committed log up to an end, and everything else up to ends that were taken later."""

    log: Ends
    rest: Ends
    kept: Kept

    @property
    def size(self) -> int:
        """How many records there are at most."""
        return sum(self.log.values()) + sum(self.rest.values())


async def extent(open_consumer: OpenConsumer, parties: Iterable[str], kept_: Kept) -> Extent:
    """Return the extent of the bus as it stands now."""
    # What stands below this end was committed, so all that followed from it is written already; of a transaction
    # under way the log's part may be there before its views are.
    log = await ends_of(open_consumer, places_of(topics.LOG), "read_committed")
    read = (*(topics.views(party) for party in sorted(parties)), topics.LEDGER, topics.CASES)
    rest = await ends_of(open_consumer, [place for topic in read for place in places_of(topic)])
    return Extent(log, rest, kept_)


async def audit(
    open_consumer: OpenConsumer, contracts: Contracts, of: Extent, progress: Progress, share: Share = EVERYTHING
) -> Report:
    """Audit a share of the bus, or all of it."""
    verification = Verification(contracts, of.kept)

    def see_kept(stored: Stored) -> None:
        match stored.record.topic:
            case topics.LEDGER:
                verification.see_receipt(stored)
            case _:
                verification.see_view(stored)

    def see_log(stored: Stored) -> None:
        record = stored.record
        known = record.offset < of.log[record.topic, record.partition]
        (verification.see_log if known else verification.see_motion)(stored)

    states = {place: end for place, end in of.rest.items() if place[0] == topics.CASES}
    others = {place: end for place, end in of.rest.items() if place not in states}
    await _read(open_consumer, states, share, verification.see_state, progress)
    await _read(open_consumer, others, share, see_kept, progress)
    # Not before the rest is read: of what is there the log's part is there by now, so it is known to move.
    now = await ends_of(open_consumer, [place for place in of.log if share.has(place)])
    await _read(open_consumer, now, share, see_log, progress)
    return verification.report()


def log_of(case: str) -> tuple[Place, ...]:
    """Return where the record of a case stands."""
    return ((topics.LOG, topics.partition_of(case.encode())),)


def states_of(case: str) -> tuple[Place, ...]:
    """Return where its states stand."""
    return ((topics.CASES, topics.partition_of(case.encode())),)


def ledger_of(case: str) -> tuple[Place, ...]:
    """Return where its receipts stand, those of reads of the vault included."""
    return ((topics.LEDGER, topics.partition_of(case.encode())), (topics.LEDGER, topics.VAULT_PARTITION))


async def stored_in(open_consumer: OpenConsumer, places: Iterable[Place]) -> tuple[Stored, ...]:
    """Return all that a few partitions keep now."""
    ends = await ends_of(open_consumer, places)
    return tuple(
        [Stored(inbound(record), record.timestamp) async for records in kept(open_consumer, ends) for record in records]
    )


async def _read(
    open_consumer: OpenConsumer, ends: Ends, share: Share, see: Callable[[Stored], None], progress: Progress
) -> None:
    count = 0
    async for records in kept(open_consumer, {place: end for place, end in ends.items() if share.has(place)}):
        for record in records:
            if share.takes(record):
                see(Stored(inbound(record), record.timestamp))
                count += 1
        if count >= _SOME:
            progress(count)
            count = 0
    progress(count)
