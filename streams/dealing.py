"""How the group deals out partitions: by the catalogue's counts, which are fixed, and not by what a broker says.

A broker that has just started answers before it knows its topics, and a client that could not ask at all while it
was away asks again five minutes later. A worker that leads the group in that state would deal out nothing, and all
workers would be ready and own nothing.
"""

from collections.abc import Mapping
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from schemas import topics


class _Catalogue:
    """What the assignor asks: of the topics that workers read, the catalogue; of any other, the cluster."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        if topic == topics.ADMITTED or topics.is_inbox(topic):
            return set(range(topics.partitions(topic)))
        found: set[int] | None = self._cluster.partitions_for_topic(topic)
        return found


class CatalogueAssignor(RoundRobinPartitionAssignor):  # type: ignore[misc]  # untyped
    """Every partition of the catalogue, one by one to each member in turn."""

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return each member's partitions."""
        dealt: dict[str, Any] = super().assign(_Catalogue(cluster), members)
        return dealt
