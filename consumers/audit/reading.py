"""The auditor's reading of the topics, in an order that a running bus cannot disturb.

First where the committed log ends; then everything else, whose ends are taken later and so hold all that follows from
that log; then the log, and what came to it meanwhile, which only says which cases were in motion.
"""

from collections.abc import AsyncIterator, Callable, Iterable

from consumers.audit.evidence import Stored
from consumers.audit.findings import Report
from consumers.audit.verification import Kept, Verification
from consumers.kept_records import Ends, OpenConsumer, Place, ends_of, inbound, kept
from schemas import topics
from schemas.contract import Contracts

LOG = tuple((topics.LOG, p) for p in range(topics.PARTITIONS))
LEDGER = tuple((topics.LEDGER, p) for p in range(topics.VAULT_PARTITION + 1))
CASES = tuple((topics.CASES, p) for p in range(topics.PARTITIONS))

Progress = Callable[[str, int, int], None]  # what is read, records so far, offsets in all


async def audit(
    open_consumer: OpenConsumer, contracts: Contracts, parties: Iterable[str], kept_: Kept, progress: Progress
) -> Report:
    """Audit the whole bus as it stands now."""
    verification = Verification(contracts, kept_)
    views = tuple((topics.views(party), 0) for party in sorted(parties))
    # What stands below this end was committed, so all that followed from it is written already; of a transaction
    # under way the log's part may be there before its views are.
    log = await ends_of(open_consumer, LOG, "read_committed")
    for name, places, take in (
        ("views", views, verification.see_view),
        ("ledger", LEDGER, verification.see_receipt),
        ("cases", CASES, verification.see_state),
    ):
        await _read(open_consumer, await ends_of(open_consumer, places), take, name, progress)

    def see(stored: Stored) -> None:
        record = stored.record
        known = record.offset < log[record.topic, record.partition]
        (verification.see_log if known else verification.see_motion)(stored)

    await _read(open_consumer, await ends_of(open_consumer, LOG), see, "log", progress)
    return verification.report()


def log_of(case: str) -> tuple[Place, ...]:
    """Return where the record of a case stands."""
    return ((topics.LOG, topics.partition_of(case.encode())),)


def ledger_of(case: str) -> tuple[Place, ...]:
    """Return where its receipts stand, those of reads of the vault included."""
    return ((topics.LEDGER, topics.partition_of(case.encode())), (topics.LEDGER, topics.VAULT_PARTITION))


async def stored_in(open_consumer: OpenConsumer, places: Iterable[Place]) -> tuple[Stored, ...]:
    """Return all that a few partitions keep now."""
    ends = await ends_of(open_consumer, places)
    return tuple([stored async for stored in _stored(open_consumer, ends)])


async def _read(
    open_consumer: OpenConsumer, ends: Ends, see: Callable[[Stored], None], name: str, progress: Progress
) -> None:
    count, total = 0, sum(ends.values())
    async for stored in _stored(open_consumer, ends):
        see(stored)
        count += 1
        if count % 1_000 == 0:
            progress(name, count, total)
    progress(name, count, count)


async def _stored(open_consumer: OpenConsumer, ends: Ends) -> AsyncIterator[Stored]:
    async for records in kept(open_consumer, ends):
        for record in records:
            yield Stored(inbound(record), record.timestamp)
