import random
from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as theirs

from schemas import topics
from schemas.rights import SERVICES, rights

PARTIES = ["ku", "sof", "bolig-nord", "dpo", "revision"]


def test_the_hash_is_kafkas() -> None:
    """The vectors of Kafka's own UtilsTest, as unsigned numbers."""
    vectors = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    assert {data: topics.murmur2(data) for data in vectors} == {data: hash_ % 2**32 for data, hash_ in vectors.items()}


def test_a_case_lies_where_every_client_would_put_it() -> None:
    dice = random.Random(1)  # noqa: S311 - the same keys at every run
    keys = [dice.randbytes(length) for length in range(65)]
    keys += [str(UUID(int=dice.getrandbits(128), version=4)).encode() for _ in range(200)]
    everywhere = list(range(topics.PARTITIONS))
    for key in keys:
        assert topics.murmur2(key) == theirs(key) % 2**32
        assert topics.partition_of(key) == DefaultPartitioner()(key, everywhere, everywhere)
    assert {topics.partition_of(key) for key in keys} == set(everywhere)


def test_every_topic_is_of_the_brokers_time_and_named_once() -> None:
    listed = topics.catalogue(PARTIES)
    assert len({topic.name for topic in listed}) == len(listed) == 6 + 3 * len(PARTIES)
    assert all(("message.timestamp.type", "LogAppendTime") in topic.settings for topic in listed)
    assert all(topics.party_of(topics.inbox(party)) == party for party in PARTIES)
    partitions = {topic.name: topic.partitions for topic in listed}
    assert partitions[topics.LOG] == partitions[topics.CASES] == partitions[topics.ADMITTED] == 12
    assert partitions[topics.LEDGER] == 13
    assert partitions[topics.views("ku")] == 1


def test_a_party_writes_its_inbox_and_reads_what_is_its_own() -> None:
    allowed = rights(PARTIES)
    for party in ("ku", "sof", "bolig-nord"):
        own = {(right.operation, right.name) for right in allowed if right.principal == party and right.kind == "TOPIC"}
        assert own == {
            ("WRITE", topics.inbox(party)),
            ("DESCRIBE", topics.inbox(party)),
            ("READ", topics.views(party)),
            ("DESCRIBE", topics.views(party)),
            ("READ", topics.refusals(party)),
            ("DESCRIBE", topics.refusals(party)),
            ("READ", topics.STATISTICS),
            ("DESCRIBE", topics.STATISTICS),
        }


def test_only_the_worker_writes_what_is_judged_and_only_overseers_read_the_ledger() -> None:
    allowed = rights(PARTIES)

    def who(operation: str, topic: str) -> set[str]:
        return {right.principal for right in allowed if right.operation == operation and right.name == topic}

    assert who("WRITE", topics.ADMITTED) == who("WRITE", topics.LOG) == who("WRITE", topics.CASES) == {"worker"}
    assert who("WRITE", topics.LEDGER) == {"worker", "vault"}
    assert who("WRITE", topics.views("sof")) == {"worker"}
    # the worker writes an empty record alone, to close the file of what it cut
    assert who("WRITE", topics.inbox("sof")) == {"sof", "gateway", "worker"}
    assert {"audit", "revision", "dpo"} <= who("READ", topics.LEDGER) <= {"audit", "revision", "dpo", "vault", "worker"}
    assert not who("READ", topics.LOG) & set(PARTIES)
    assert who("WRITE", topics.STATISTICS) == {"statistics"}
    assert who("READ", topics.STATISTICS) == {"statistics", *PARTIES}


def test_every_right_is_for_something_that_exists() -> None:
    known = {topic.name for topic in topics.catalogue(PARTIES)}
    for right in rights(PARTIES):
        assert right.principal in {*PARTIES, *SERVICES}
        assert right.kind != "TOPIC" or (right.name in known and right.pattern == "LITERAL")
        assert right.pattern == "LITERAL" or right.name.endswith(".") or right.kind == "GROUP"
