"""The cluster that an embedded broker is a node of: alone, unless more are named.

Every node is broker and controller at once. With three, each record has three copies and is acknowledged once
two hold it, so that any one node may die.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.ports import HOST
from deploy.kafka_access import in_sync


def new_id() -> str:
    """An id for a cluster, shared by all its nodes."""
    return uuid.uuid4().hex[:22]


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its number, and where clients and controllers reach it."""

    number: int
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def controller(self) -> str:
        return f"{HOST}:{self.controller_port}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """All nodes of one cluster. `id`: empty for one that is alone, which draws its own when it is formatted."""

    id: str
    nodes: tuple[Node, ...]

    @property
    def bootstrap(self) -> str:
        return ",".join(node.address for node in self.nodes)

    @property
    def copies(self) -> int:
        """How many copies of a record there are."""
        return min(3, len(self.nodes))

    def settings(self) -> Mapping[str, object]:
        """What every node must know of the whole: its controllers, and the copies of Kafka's own topics."""
        return {
            "controller.quorum.voters": ",".join(f"{node.number}@{node.controller}" for node in self.nodes),
            "default.replication.factor": self.copies,
            "min.insync.replicas": in_sync(self.copies),
            "offsets.topic.replication.factor": self.copies,
            "transaction.state.log.replication.factor": self.copies,
            "transaction.state.log.min.isr": in_sync(self.copies),
            "share.coordinator.state.topic.replication.factor": self.copies,
            "share.coordinator.state.topic.min.isr": in_sync(self.copies),
        }
