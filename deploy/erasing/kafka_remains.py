"""Kafka read from beginning to end for what is left of a case, aborted transactions included.

What is to stay is told apart by its form: the stub among the states, and the views that tell recipients of the erasure.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from aiokafka import ConsumerRecord

from consumers.audit.evidence import identifier
from consumers.audit.reading import ledger_of, states_of, stored_in
from consumers.audit.receipts import slip_of
from consumers.kept_records import OpenConsumer, Place, ends_of, kept
from consumers.vault import VAULT_PREFIX
from deploy.erasing.remains import Looked, Needles
from schemas import topics
from schemas.case import Case
from schemas.envelope import type_of
from schemas.state import decode, is_stub
from schemas.terms import ERASED, erasure_id

_TOLD = ("ce_type", type_of(ERASED).encode())
_STUB, _FAREWELL = "the stub that keeps it from coming back", "what its recipients were told of the erasure"

Ears = Callable[[str], OpenConsumer]


async def in_kafka(ear: Ears, parties: Iterable[str], needles: Needles) -> list[Looked]:
    """Read every place where a record of the case may stand. `ear`: opens clients with a principal's login."""
    home, everyone = topics.partition_of(needles.case.encode()), sorted(parties)
    each = [
        ("log", "audit", [(topics.LOG, home)], ""),
        ("states", "audit", [(topics.CASES, home)], _STUB),
        ("views", "audit", [(topics.views(party), 0) for party in everyone], _FAREWELL),
        ("admitted events", "worker", [(topics.ADMITTED, home)], ""),
        ("inboxes", "worker", [(topics.inbox(party), 0) for party in everyone], ""),
        ("dead letters", "audit", [(topics.DEAD, 0)], ""),
    ]
    return [await _looked(name, ear(principal), places, needles, why) for name, principal, places, why in each]


async def needles_of(open_consumer: OpenConsumer, case: str) -> Needles:
    """Return what the case is known by: from its state while it stands, from its receipts also when it is gone."""
    slips = map(slip_of, await stored_in(open_consumer, ledger_of(case)))
    named = {slip.identity.event for slip in slips if slip.identity.key == case}
    states = [stored.record for stored in await stored_in(open_consumer, states_of(case))]
    said = [known for record in states if record.key == case.encode() and (known := _case(record.value))]
    events = {id_ for known in said for id_ in known.said}
    refs = {
        ref.removeprefix(VAULT_PREFIX) for known in said for one in known.said.values() for ref in one.refs.values()
    }
    found = {id_ for id_ in named if id_ and identifier(id_)} | events | refs
    return Needles(case, frozenset(found) - {erasure_id(case)})


def _case(raw: bytes | None) -> Case | None:
    found = decode(raw) if raw else None
    return found if isinstance(found, Case) else None


async def _looked(
    name: str, open_consumer: OpenConsumer, places: Iterable[Place], needles: Needles, why: str
) -> Looked:
    counted: Counter[str] = Counter()
    ends = await ends_of(open_consumer, places)
    async for records in kept(open_consumer, ends, "read_uncommitted"):
        for record in records:
            counted["read"] += 1
            if needles.found_in(record.key, record.value, *(value for _, value in record.headers)):
                counted["stays" if _is_to_stay(record, needles) else "left"] += 1
    return Looked(name, counted["read"], "records", counted["left"], counted["stays"], why if counted["stays"] else "")


def _is_to_stay(record: ConsumerRecord, needles: Needles) -> bool:
    if record.value is None or needles.contents_in(record.key, record.value):
        return False
    if record.topic == topics.CASES:
        return record.key == needles.case.encode() and is_stub(record.value)
    return record.topic.startswith("samspil.views.") and _TOLD in record.headers
