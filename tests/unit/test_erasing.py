"""What is sought of an erased case: as text, and as a database keeps a UUID."""

from uuid import UUID, uuid4

from deploy.erasing.remains import Looked, Needles, clean

CASE, EVENT = str(uuid4()), str(uuid4())


def test_it_is_found_as_text_and_as_sixteen_bytes_in_any_part() -> None:
    needles = Needles(CASE, frozenset({EVENT}))
    for held in (CASE.encode(), UUID(CASE).bytes, EVENT.encode(), UUID(EVENT).bytes):
        assert needles.found_in(None, b"before " + held + b" after")
    assert not needles.found_in(str(uuid4()).encode(), None, b"")


def test_what_was_in_the_case_is_told_from_its_id() -> None:
    needles = Needles(CASE, frozenset({EVENT}))
    assert needles.contents_in(b"x" + UUID(EVENT).bytes)
    assert not needles.contents_in(CASE.encode(), UUID(CASE).bytes)


def test_parts_are_not_read_together() -> None:
    """A key's end and a value's beginning make no id."""
    assert not Needles(CASE).found_in(CASE[:20].encode(), CASE[20:].encode())


def test_what_stays_is_no_remainder() -> None:
    assert clean([Looked("states", 3, "records", stays=1, why="the stub")])
    assert not clean([Looked("log", 3, "records", left=1)])
