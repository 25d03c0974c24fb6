"""The verdict table's fold: which verdict on an id is the newest, however the two topics arrive."""

from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID, uuid4

import orjson
import pytest

from producers.verdicts import ANYTHING, MOST_ANNOUNCED, VerdictProjection, _announced, fold, newer, row_of
from schemas import topics
from schemas.outputs import log_record
from schemas.records import Inbound, Outbound
from schemas.verdicts import Accepted, Refusal, Verdict, answer
from tests import wire

EVENT = str(uuid4())


def read(record: Outbound, offset: int = 0) -> Inbound:
    return Inbound(record.topic, record.partition, offset, record.key, record.value, record.headers)


def told(verdict: Verdict, place: int | None) -> Inbound:
    return read(answer("sof", verdict, place))


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


@pytest.mark.parametrize(
    ("records", "reason_or_verdict", "place"),
    [
        ([told(Refusal(EVENT, "unknown_case"), 3), accepted(5)], "accepted", 5),
        ([accepted(5), told(Refusal(EVENT, "unknown_case"), 9)], "unknown_case", 9),
        ([accepted(5), told(Accepted(EVENT, duplicate=True), 9)], "accepted", 9),
        ([told(Refusal(EVENT, "internal"), 5), accepted(5)], "accepted", 5),  # judged again by `dead retry`
    ],
)
def test_the_place_in_the_inbox_decides(records: list[Inbound], reason_or_verdict: str, place: int) -> None:
    for arrival in permutations(records):
        (row,) = fold(arrival)
        body = orjson.loads(row.verdict)
        assert body.get("reason", body["verdict"]) == reason_or_verdict
        assert row.inbox_offset == place


def test_a_refusal_of_the_gateway_replaces_a_refusal_and_never_an_acceptance() -> None:
    at_the_gateway = row_of(told(Refusal(EVENT, "schema"), None))
    by_the_case = row_of(told(Refusal(EVENT, "unknown_case"), 3))
    said = row_of(accepted(5))
    assert at_the_gateway is not None
    assert by_the_case is not None
    assert said is not None
    assert orjson.loads(newer(by_the_case, at_the_gateway).verdict)["reason"] == "schema"
    assert newer(by_the_case, at_the_gateway).inbox_offset == 3
    assert newer(said, at_the_gateway) == said
    assert newer(at_the_gateway, said).inbox_offset == 5


def test_the_acceptance_keeps_its_time_when_it_is_said_again() -> None:
    (row,) = fold([accepted(5), told(Accepted(EVENT, duplicate=True), 9)])
    assert row.recorded == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_a_long_list_is_announced_as_anything() -> None:
    row = row_of(accepted(1))
    assert row is not None
    assert _announced([row]) == [f"sof/{EVENT}"]
    assert _announced([row] * (MOST_ANNOUNCED + 1)) == [ANYTHING]


def test_it_reads_the_log_and_the_refusals_of_all() -> None:
    assert VerdictProjection(["vink", "ku"]).topics == (
        topics.LOG,
        topics.refusals("ku"),
        topics.refusals("vink"),
    )
