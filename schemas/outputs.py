"""What COORDINATE writes for an accepted event, as records: log, views, receipts and state.

The worker writes these bytes and the auditor derives them again, so both take them from here.
"""

from collections.abc import Iterable

from schemas import topics
from schemas.canonical import canonical
from schemas.case import HOLD_PREFIX, Case
from schemas.envelope import Admitted, Event, log_key, log_key_of, sealed_headers
from schemas.records import Headers, Inbound, Outbound
from schemas.views import Receipt, View, view_id

MARK = b"sweep"  # key of a record with nothing in it, which only closes a file


def log_record(admitted: Admitted, withheld: tuple[str, ...]) -> Outbound:
    """Return the event as it stands in the log, with the parties that its verdict names as withheld."""
    event = admitted.event
    return _logged(event, canonical(event.fields), sealed_headers(admitted), withheld)


def carried_over(record: Inbound, event: Event, withheld: tuple[str, ...]) -> Outbound:
    """Return the same of the event's record on the admitted topic, whose bytes it takes.

    ADMIT built those from checked parts, and nobody else may write there; building them again takes 11 µs.
    """
    return _logged(event, record.value or b"", record.headers, withheld)


def _logged(event: Event, value: bytes, headers: Headers, withheld: tuple[str, ...]) -> Outbound:
    if withheld:
        headers = (*headers, ("ce_withheld", ",".join(withheld).encode()))
    return Outbound(topics.LOG, topics.partition_of(event.key.encode()), log_key(event), value, headers)


def view_record(view: View) -> Outbound:
    """Return the view on its recipient's topic."""
    return Outbound(topics.views(view.recipient), 0, view.id.encode(), view.value, view.headers())


def receipt_record(event: Event, receipt: Receipt) -> Outbound:
    """Return the receipt in the ledger, beside its event's partition."""
    key = event.key.encode()
    return Outbound(topics.LEDGER, topics.partition_of(key), key, receipt.value())


def receipt_records(event: Event, written: tuple[bytes, ...]) -> list[Outbound]:
    """Return the receipts of an event, whose bytes are made already."""
    key = event.key.encode()
    home = topics.partition_of(key)
    return [Outbound(topics.LEDGER, home, key, value) for value in written]


def state_record(key: str, state: bytes | None, contract: str) -> Outbound:
    """Return the newest state of a case, party or hold; `contract` is the digest that judged last."""
    raw = key.encode()
    home = topics.partition_of(raw.removeprefix(HOLD_PREFIX.encode()))
    return Outbound(topics.CASES, home, raw, state, (("ce_contract", contract.encode()),))


def erasures(case: Case) -> list[Outbound]:
    """Return what takes every log record and every view of a case away."""
    home = topics.partition_of(case.id.encode())
    logged = [Outbound(topics.LOG, home, log_key_of(said.party, case.id, id_), None) for id_, said in case.said.items()]
    shown = [
        Outbound(topics.views(party), 0, view_id(said.party, case.id, id_, party).encode(), None)
        for id_, said in case.said.items()
        for party in said.shown
    ]
    return [*logged, *shown]


def marks(partition: int, parties: Iterable[str]) -> list[Outbound]:
    """Return what closes the files of a partition's log and states, and of the views.

    Kafka compacts closed files alone, and closes the one that it writes to only when more is written: what was erased
    would stay in a quiet topic's file. The mark begins a new file, if the old one is older than the topic's segment.ms.
    """
    views = [(topics.views(party), 0) for party in sorted(parties)]
    places = [(topics.LOG, partition), (topics.CASES, partition), *views]
    return [Outbound(topic, place, MARK, None) for topic, place in places]
