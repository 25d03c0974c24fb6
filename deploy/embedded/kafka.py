"""A real Apache Kafka as a child process: one node, alone unless it is told of a cluster.

Clients speak SASL/SCRAM and meet an authorizer that denies by default. The controller's own listener speaks
SASL/PLAIN with the admin's password: SCRAM users live in the metadata that the controller is only about to
load, and an open controller listener would let any local program write that metadata.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded import java, processes
from deploy.embedded.credentials import ADMIN, write_private
from deploy.embedded.kafka_cluster import Cluster, Node, new_id
from deploy.kafka_access import KafkaAccess, answers

READY_SECONDS = 90
_HEAP = ("-Xms128m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError")
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # for a program of two seconds
_MODULE = "org.apache.kafka.common.security"

_SETTINGS: Mapping[str, object] = {
    "process.roles": "broker,controller",
    "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    "inter.broker.listener.name": "CLIENTS",
    "controller.listener.names": "CONTROLLER",
    "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:{ADMIN}",
    "allow.everyone.if.no.acl.found": "false",
    # Topics come from the catalogue alone.
    "auto.create.topics.enable": "false",
    # Few partitions of Kafka's own topics, so that a start is quick.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    # A bus that rests for longer than Kafka's week must not forget what it has judged: five years, in minutes.
    "offsets.retention.minutes": 5 * 365 * 24 * 60,
    # A lone group member need not wait for others; tests may lose members quickly.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "log.retention.check.interval.ms": 5000,
    "log.cleaner.backoff.ms": 1000,
    # The state of a case of a thousand events is one record of up to 4 MB, with room for its envelope.
    "message.max.bytes": 5 * 1024 * 1024,
    "replica.fetch.max.bytes": 5 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,  # allocated for each of some hundred partitions at once
}


@dataclass(frozen=True, slots=True)
class Kafka:
    """Where one embedded broker lives and listens."""

    home: Path
    jars: Path
    port: int
    controller_port: int
    passwords: Mapping[str, str]
    flags: tuple[str, ...] = ()  # more words for the JVM
    number: int = 1
    cluster: Cluster | None = None  # that it is a node of; None: it is alone
    settings: Mapping[str, object] = field(default_factory=dict)  # over ours

    @property
    def bootstrap(self) -> str:
        """Where a client begins: every node of the cluster."""
        return self._cluster.bootstrap

    @property
    def _cluster(self) -> Cluster:
        return self.cluster or Cluster("", (self._node,))

    @property
    def _node(self) -> Node:
        return Node(self.number, self.port, self.controller_port)

    @property
    def log(self) -> Path:
        return self.home / "logs" / "kafka.log"

    @property
    def _data(self) -> Path:
        return self.home / "kafka"

    @property
    def _config(self) -> Path:
        return self.home / "kafka.properties"

    def access(self, principal: str = ADMIN) -> KafkaAccess:
        return KafkaAccess(self.bootstrap, principal, self.passwords[principal])

    def launch(self, children: processes.Children) -> processes.Child:
        """Start it, formatted on the first start; it answers some seconds later."""
        self._write_config()
        program = java.find()
        if not (self._data / "meta.properties").exists():
            self._format(program)
        flags = (*_HEAP, *self.flags, *java.quick_start_flags(program, self.jars))
        command = self._java(program, flags, "kafka.Kafka", self._config)
        return children.start(processes.Command("kafka", command, self.log))

    def answers(self) -> bool:
        """Whether this node does, whatever the others of its cluster do."""
        return answers(KafkaAccess(self._node.address, ADMIN, self.passwords[ADMIN]))

    def _format(self, program: str) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted first start may have left
        # The admin must exist before the first client can sign in; the password goes by a file, not by the
        # argument list that every user of the machine can read.
        wanted = self.home / "kafka.format"
        scram = f"SCRAM-SHA-256=[name={ADMIN},password={self.passwords[ADMIN]}]"
        write_private(wanted, f"--add-scram\n{scram}")
        arguments = ("format", "-t", self._cluster.id or new_id(), "-c", self._config, f"@{wanted}")
        try:
            processes.run(
                "formatting Kafka's storage",
                self._java(program, _QUICK, "kafka.tools.StorageTool", *arguments),
                self.log,
            )
        finally:
            wanted.unlink()

    def _java(self, program: str, flags: tuple[str, ...], main: str, *arguments: object) -> list[str]:
        log4j = Path(__file__).with_name("log4j2.properties")
        return [
            program,
            *flags,
            f"-Dlog4j2.configurationFile={log4j}",
            "-cp",
            f"{self.jars}/*",
            main,
            *map(str, arguments),
        ]

    def _write_config(self) -> None:
        admin = f'required username="{ADMIN}" password="{self.passwords[ADMIN]}"'
        scram = f"{_MODULE}.scram.ScramLoginModule {admin};"
        plain = f'{_MODULE}.plain.PlainLoginModule {admin} user_{ADMIN}="{self.passwords[ADMIN]}";'
        node = self._node
        settings = {
            **_SETTINGS,
            **self._cluster.settings(),
            "node.id": node.number,
            "log.dirs": self._data,
            "listeners": f"CLIENTS://{node.address},CONTROLLER://{node.controller}",
            "advertised.listeners": f"CLIENTS://{node.address}",
            "listener.name.clients.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.controller.plain.sasl.jaas.config": plain,
            **self.settings,
        }
        write_private(self._config, "".join(f"{name}={value}\n" for name, value in settings.items()))
