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
    """What the assignor asks of a cluster's metadata."""

    @staticmethod
    def partitions_for_topic(topic: str) -> set[int]:
        return set(range(topics.partitions(topic)))


class CatalogueAssignor(RoundRobinPartitionAssignor):  # type: ignore[misc]  # untyped
    """Every partition of the catalogue, one by one to each member in turn."""

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003 - it is not asked
        """Return each member's partitions."""
        dealt: dict[str, Any] = super().assign(_Catalogue(), members)
        return dealt
