"""Packing: every record once, in the order of its partition, in batches that a topic takes."""

from collections import defaultdict
from collections.abc import Iterable

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import UnsendableError
from schemas.records import Outbound
from streams.packing import BATCH_BYTES, Packing

LARGEST = 4 * 1024 * 1024
HEADERS = (("ce_id", b"1"),)

records = st.builds(
    Outbound,
    st.sampled_from(("log", "views", "ledger")),
    st.integers(0, 1),
    st.binary(min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(0, BATCH_BYTES + 1).map(bytes)),
    st.just(HEADERS),
)


def _new() -> BatchBuilder:
    return BatchBuilder(LARGEST, 0, is_transactional=1)


def _packed(parts: Iterable[Iterable[Outbound]]) -> Packing:
    packing = Packing(_new)
    for part in parts:
        packing.add(part)
    return packing


def _content(batch: BatchBuilder) -> list[tuple[bytes, bytes | None]]:
    found = MemoryRecords(bytes(batch._build())).next_batch()
    return [] if found is None else [(record.key, record.value) for record in found]


@given(st.lists(st.lists(records, max_size=5), max_size=6))
def test_every_record_is_packed_once_in_the_order_of_its_partition(parts: list[list[Outbound]]) -> None:
    expected: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = defaultdict(list)
    for record in (record for part in parts for record in part):
        assert record.key is not None
        expected[record.topic, record.partition].append((record.key, record.value))
    found = _packed(parts).batches()
    assert {place: [one for batch in row for one in _content(batch)] for place, row in found.items()} == expected


@given(st.lists(records, max_size=20))
def test_a_batch_is_of_a_size_that_every_topic_takes_and_a_larger_record_goes_alone(run: list[Outbound]) -> None:
    for row in _packed([run]).batches().values():
        for batch in row:
            assert batch.closed()
            assert batch.record_count() == 1 or batch.size() <= BATCH_BYTES


def test_a_record_that_its_batch_does_not_take_is_never_left_out() -> None:
    """The client says so by returning nothing; a batch takes its first record whatever its size."""
    packing = Packing(lambda: BatchBuilder(100, 0, is_transactional=1))
    packing.add([Outbound("log", 0, b"key", bytes(90))])
    with pytest.raises(UnsendableError):
        packing.add([Outbound("log", 0, b"key", bytes(90))])


def test_nothing_packed_is_no_batch() -> None:
    assert not _packed([[], []]).batches()
