"""From what ku may see to the rows of its overview.

Its views, of the log its own events alone, and of the states of cases what `overview_states` takes.
Each record becomes an item with the few fields that the overview uses; the case's row is then folded anew
from all its items (`schemas.overview`), so that the order in which the topics arrive does not matter.
A tombstone takes its item away, and so does a state that says nothing to the overview any more; with the last event's
item the case's row goes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson

from consumers import overview_states
from schemas import topics
from schemas.envelope import SOURCE_PREFIX, TYPE_PREFIX, TYPE_SUFFIX
from schemas.overview import KEPT, CaseRow, erased, row
from schemas.overview_facts import OVERSEER, Item, moment
from schemas.overview_waits import RECORDED
from schemas.records import Inbound

_SQL = files(__package__) / "sql"
KEEP_ITEMS = (_SQL / "keep_overview_items.sql").read_text()
ERASE_ITEMS = (_SQL / "erase_overview_items.sql").read_text()
ITEMS = (_SQL / "overview_items.sql").read_text()
PRUNE = (_SQL / "prune_overview_items.sql").read_text()
KEEP_ROWS = (_SQL / "keep_overview_rows.sql").read_text()
ANNOUNCE = (_SQL / "announce_overview.sql").read_text()

VIEWS = topics.views(OVERSEER)


@dataclass(frozen=True, slots=True)
class Seen:
    """An item, the case that it belongs to and the record that brought it."""

    case: str
    item: Item
    topic: str
    key: str


def seen(record: Inbound) -> Seen | None:
    """Return what a record shows ku of a case; None for what is no business of the overview's."""
    if record.value is None or record.key is None:
        return None
    if record.topic == topics.CASES:
        case, told = overview_states.case_of(record), overview_states.item_of(record)
        return Seen(case, told, record.topic, record.key.decode()) if case and told else None
    return _event(record.key, record.value, record)


def _event(key: bytes, value: bytes, record: Inbound) -> Seen | None:
    headers = {name: value.decode() for name, value in record.headers}
    party = headers["ce_source"].removeprefix(SOURCE_PREFIX)
    ours = party == OVERSEER
    case = headers.get("ce_subject")
    # Its own events ku sees in the log; a view of one (self: true) would be the same again.
    if case is None or ours != (record.topic == topics.LOG):
        return None
    data = orjson.loads(value)
    type_ = headers["ce_type"].removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    fields = _kept(type_, data) | {RECORDED: headers["ce_recordedtime"]} if ours else _kept(type_, data["fields"])
    item = Item(
        event=headers["ce_id" if ours else "ce_causationid"],
        type=type_,
        party=party,
        time=moment(headers["ce_time"]),
        place=record.offset,
        fields=fields,
    )
    return Seen(case, item, record.topic, key.decode())


def _kept(type_: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in KEPT.get(type_, ())}


def _takes_away(record: Inbound) -> bool:
    """Whether a record that shows nothing ends what its key showed before."""
    if record.topic == topics.CASES:
        return overview_states.case_of(record) is not None
    return record.value is None and record.key is not None


class Overview:
    """Keeps items and rows, and tells those who show the overview that it changed."""

    name = "overview"
    topics: tuple[str, ...] = (VIEWS, topics.LOG, topics.CASES)

    async def write(self, connection: Any, records: Sequence[Inbound]) -> None:
        """Write what a batch shows, in the caller's transaction: it is announced when that commits."""
        # Record by record, a key's newest counts: a tombstone after a value, and never the other way round.
        newest = {(record.topic, record.partition, record.key): record for record in records}
        read = [(record, seen(record)) for record in newest.values()]
        found = [one for _, one in read if one is not None]
        touched = {one.case for one in found}
        if gone := [record for record, one in read if one is None and _takes_away(record)]:
            touched |= await _erase(connection, gone)
        if found:
            await _keep(connection, found)
        if touched:
            await _fold(connection, sorted(touched))


async def _erase(connection: Any, gone: Sequence[Inbound]) -> set[str]:
    keys = [record.key.decode() for record in gone if record.key is not None]
    rows = await connection.fetch(ERASE_ITEMS, [record.topic for record in gone], keys)
    return {row["case_id"] for row in rows}


async def _keep(connection: Any, found: Iterable[Seen]) -> None:
    # One row for each event, since an upsert takes no key twice; both tell the same.
    unique = list({(one.case, one.item.event): one for one in found}.values())
    items = [one.item for one in unique]
    await connection.execute(
        KEEP_ITEMS,
        [one.case for one in unique],
        [item.event for item in items],
        [item.type for item in items],
        [item.party for item in items],
        [item.time for item in items],
        [item.place for item in items],
        [orjson.dumps(item.fields).decode() for item in items],
        [one.topic for one in unique],
        [one.key for one in unique],
    )


async def _fold(connection: Any, cases: Sequence[str]) -> None:
    items: dict[str, list[Item]] = defaultdict(list)
    for kept in await connection.fetch(ITEMS, cases):
        items[kept["case_id"]].append(_item(kept))
    rows = [row(case, items[case]) for case in cases]
    if gone := [case for case in cases if erased(items[case])]:
        await connection.execute(PRUNE, gone)
    changed = await connection.fetch(
        KEEP_ROWS, cases, [_body(folded) for folded in rows], [folded and folded.changed for folded in rows]
    )
    if changed:
        await connection.execute(ANNOUNCE)


def _item(kept: Mapping[str, Any]) -> Item:
    fields = orjson.loads(kept["fields"])
    return Item(kept["event_id"], kept["type"], kept["party"], kept["said_at"], kept["place"], fields)


def _body(folded: CaseRow | None) -> str | None:
    return None if folded is None else orjson.dumps(folded.body()).decode()
