"""What the publishers of a chaos run say: the same for the same seed, and sure where it says so."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from schemas import topics
from schemas.admission import admit
from schemas.verdicts import Refusal
from tests.chaos import lives
from tests.unit.scenarios import Bus, contract, sealed

NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
BLOCKS = 25


@pytest.mark.parametrize("party", lives.PARTIES)
def test_what_is_sure_is_accepted_and_the_same_seed_says_the_same(party: str) -> None:
    bus, said = Bus(contract(), NOW), set()
    told = list(islice(lives.blocks(party, 7, NOW), BLOCKS))
    for line in (line for block in told for line in lives.interleaved(block)):
        saying = line.saying
        event = admit(bus.contract, party, saying.headers, saying.value, NOW)
        verdict = event if isinstance(event, Refusal) else bus.judge(sealed(bus.contract, event, NOW)).verdict
        assert not (line.sure and isinstance(verdict, Refusal)), (saying.type, verdict)
        said.add(saying.type)
    assert told == list(islice(lives.blocks(party, 7, NOW), BLOCKS))
    assert told != list(islice(lives.blocks(party, 8, NOW), BLOCKS))
    assert len(said) > 5


def test_many_parties_get_views_of_many_types_in_all_partitions() -> None:
    bus, views = Bus(contract(), NOW), set()
    for party in lives.PARTIES:
        for block in islice(lives.blocks(party, 7, NOW), BLOCKS):
            for line in lives.interleaved(block):
                event = admit(bus.contract, party, line.saying.headers, line.saying.value, NOW)
                if not isinstance(event, Refusal):
                    decision = bus.judge(sealed(bus.contract, event, NOW)).decision
                    views |= {(view.recipient, event.type) for view in (decision.views if decision else ())}
    assert {"ku", "sof", "buf", "vink", "politi", "bif", "dpo"} <= {party for party, _ in views}
    assert len({type_ for _, type_ in views}) > 15
    assert {topics.partition_of(key.encode()) for key in bus.states} == set(range(topics.PARTITIONS))
