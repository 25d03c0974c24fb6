"""The verdict table's fold: which verdicts on an id are kept, however the two topics arrive."""

from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID, uuid4

import orjson

from producers.verdicts import ANYTHING, AT_THE_GATEWAY, MOST_ANNOUNCED, VerdictProjection, _announced, fold, row_of
from schemas import topics
from schemas.check import BUS
from schemas.outputs import log_record
from schemas.records import Inbound, Outbound
from schemas.verdicts import Accepted, Refusal, Verdict, answer
from tests import wire

EVENT = str(uuid4())


def read(record: Outbound, offset: int = 0) -> Inbound:
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)


def told(verdict: Verdict, place: int | None, offset: int = 0) -> Inbound:
    return read(answer("sof", verdict, place), offset)


def accepted(place: int, *withheld: str) -> Inbound:
    """A log record: its headers are all that the fold reads."""
    headers = [
        ("ce_id", EVENT.encode()),
        ("ce_source", b"urn:samspil:party:sof"),
        ("ce_recordedtime", b"2026-03-02T11:00:00Z"),
        ("ce_inboxoffset", str(place).encode()),
    ]
    if withheld:
        headers.append(("ce_withheld", ",".join(withheld).encode()))
    return Inbound(topics.LOG, 0, 0, b"k", b"{}", tuple(headers))


def test_the_scenario_gives_each_publisher_its_verdicts() -> None:
    for step in wire.judged(wire.contracts().newest, wire.scenario()):
        if step.admitted is None or not isinstance(step.verdict, Accepted):
            continue
        if step.admitted.event.party == BUS:
            continue  # nobody asks for its verdict
        row = row_of(read(log_record(step.admitted, step.verdict.withheld)))
        assert row is not None
        assert (row.party, row.id) == (step.admitted.event.party, UUID(step.id))
        assert orjson.loads(row.verdict) == step.verdict.body()


def test_a_log_record_is_an_acceptance_with_who_was_withheld() -> None:
    row = row_of(accepted(5, "politi", "vink"))
    assert row is not None
    assert orjson.loads(row.verdict) == Accepted(EVENT, ("politi", "vink")).body()
    assert (row.party, row.inbox_offset, row.recorded) == ("sof", 5, datetime(2026, 3, 2, 11, tzinfo=UTC))


def test_what_makes_no_row() -> None:
    erased = Inbound(topics.LOG, 0, 0, b"k", None, ())
    by_the_bus = Inbound(topics.LOG, 0, 0, b"k", b"{}", (("ce_id", EVENT.encode()), ("ce_source", b"x")))
    assert row_of(erased) is None
    assert row_of(by_the_bus) is None
    assert row_of(told(Refusal(None, "bad_envelope"), 3)) is None


def kept(*records: Inbound) -> dict[int, str]:
    """What the fold keeps on each submission, the same in every order: the reason, or that it was accepted."""
    found = []
    for arrival in permutations(records):
        bodies = {row.inbox_offset: orjson.loads(row.verdict) for row in fold(arrival)}
        found.append({place: body.get("reason", body["verdict"]) for place, body in bodies.items()})
    assert all(one == found[0] for one in found)
    return found[0]


def test_each_submission_keeps_its_own_verdict() -> None:
    before, after = told(Refusal(EVENT, "unknown_case"), 3), told(Refusal(EVENT, "id_reused"), 9)
    assert kept(before, accepted(5), after) == {3: "unknown_case", 5: "accepted", 9: "id_reused"}


def test_what_was_judged_again_is_accepted_where_it_was_refused() -> None:
    given_up = told(Refusal(EVENT, "internal"), 5, offset=7)  # the log's offsets have nothing to do with these
    assert kept(given_up, accepted(5)) == {5: "accepted"}
    (row,) = fold([given_up, accepted(5), told(Accepted(EVENT, duplicate=True), 5, offset=8)])
    assert (orjson.loads(row.verdict), row.recorded) == (Accepted(EVENT).body(), datetime(2026, 3, 2, 11, tzinfo=UTC))


def test_the_gateways_refusals_share_a_place_and_the_newest_stays() -> None:
    older, newer = told(Refusal(EVENT, "schema"), None, offset=4), told(Refusal(EVENT, "unknown_ref"), None, offset=6)
    assert kept(older, newer, accepted(5)) == {AT_THE_GATEWAY: "unknown_ref", 5: "accepted"}


def test_a_long_list_is_announced_as_anything() -> None:
    row = row_of(accepted(1))
    assert row is not None
    assert _announced([row]) == [f"sof/{EVENT}"]
    assert _announced([row] * (MOST_ANNOUNCED + 1)) == [ANYTHING]


def test_it_reads_the_log_and_the_refusals_of_all() -> None:
    async def binds(_connection: object, _told: object) -> None: ...

    assert VerdictProjection(["vink", "ku"], binds).topics == (
        topics.LOG,
        topics.refusals("ku"),
        topics.refusals("vink"),
    )
