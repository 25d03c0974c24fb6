"""A publisher's journal: what stays after a kill, and what a reader gets of it while it grows."""

from pathlib import Path

from tests.chaos.journal import QUEUE_FULL, Acknowledged, Journal, Reader, read

FIRST, SECOND = Acknowledged("sof", "a", "c", 5), Acknowledged("buf", "b", None, refused=True)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    reader = Reader(path)
    assert reader.news() == []
    with Journal(path) as journal:
        journal.acknowledged(FIRST)
        assert reader.news() == [FIRST]
        journal.note(QUEUE_FULL)
        journal.acknowledged(SECOND)
        assert reader.news() == [SECOND]
    assert reader.notes == {QUEUE_FULL: 1}
    assert read(path) == [FIRST, SECOND]


def test_half_a_line_was_never_known(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.acknowledged(FIRST)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"party": "so')
    reader = Reader(path)
    assert reader.news() == [FIRST]
    with Journal(path) as journal:
        assert path.read_bytes() == whole
        journal.acknowledged(SECOND)
    assert reader.news() == [SECOND]


def test_a_kill_in_the_first_line_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b'{"par')
    with Journal(path):
        assert path.read_bytes() == b""
