from consumers.dead_letters import DeadLetter, again, open_letters, settled
from schemas import topics
from schemas.canonical import canonical
from schemas.records import Inbound, Outbound

LETTER = DeadLetter(topics.ADMITTED, 3, 17, "coordinate", "KeyError")


def dead(record: Outbound, offset: int) -> Inbound:
    return Inbound(record.topic, 0, offset, record.key, record.value, ())


WRITTEN = Outbound(topics.DEAD, 0, LETTER.key, canonical(LETTER.body()))


def test_a_letter_is_open_until_it_is_settled() -> None:
    assert open_letters([dead(WRITTEN, 0)]) == (LETTER,)
    assert open_letters([dead(WRITTEN, 0), dead(settled(LETTER), 1)]) == ()


def test_a_place_that_dies_again_is_open_again() -> None:
    assert open_letters([dead(WRITTEN, 0), dead(settled(LETTER), 1), dead(WRITTEN, 2)]) == (LETTER,)


def test_a_record_is_submitted_as_it_was() -> None:
    record = Inbound(topics.ADMITTED, 3, 17, b"case", b"{}", (("ce_id", b"x"),))
    assert again(record) == Outbound(topics.ADMITTED, 3, b"case", b"{}", (("ce_id", b"x"),))
