"""Partitions are dealt out whole, whatever the leader's client knows of the cluster."""

from aiokafka.cluster import ClusterMetadata

from schemas import topics
from streams.dealing import CatalogueAssignor
from tests.unit.scenarios import contract

TOPICS = {topics.ADMITTED, *map(topics.inbox, contract().parties)}


def _dealt(members: int) -> list[set[tuple[str, int]]]:
    metadata = {f"worker-{n}": CatalogueAssignor.metadata(TOPICS) for n in range(members)}
    assigned = CatalogueAssignor.assign(ClusterMetadata(), metadata)  # of a client that has asked nobody yet
    return [
        {(topic, partition) for topic, places in one.assignment for partition in places} for one in assigned.values()
    ]


def test_a_leader_that_knows_nothing_of_the_cluster_deals_out_everything() -> None:
    everything = {(topic, partition) for topic in TOPICS for partition in range(topics.partitions(topic))}
    for members in (1, 2, 3):
        dealt = _dealt(members)
        assert set().union(*dealt) == everything
        assert sum(map(len, dealt)) == len(everything)
        assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
