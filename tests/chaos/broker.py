"""The broker part of a run, as a fault sees it. One broker here; a cluster can stand behind the same words."""

import os
import signal
from pathlib import Path
from typing import Protocol

from deploy.kafka_access import KafkaAccess
from tests import brokers


class Broker(Protocol):
    """What a fault can do to Kafka. `number` chooses a broker where there are several."""

    def access(self, principal: str = "admin") -> KafkaAccess:
        """How a principal reaches it."""

    def kill(self, number: int) -> None:
        """As a crash would."""

    def restart(self) -> None:
        """Start what was killed; return once it answers."""

    def pause(self, number: int) -> None:
        """Freeze it."""

    def resume(self) -> None:
        """Let it go on."""

    def close(self) -> None:
        """Stop for good."""


class SingleBroker:
    """The embedded default's one broker."""

    def __init__(self, home: Path) -> None:
        self._running = brokers.start_kafka(home)

    def access(self, principal: str = "admin") -> KafkaAccess:
        return self._running.access(principal)

    def kill(self, _number: int) -> None:
        self._running.kill()

    def restart(self) -> None:
        self._running.restart()

    def pause(self, _number: int) -> None:
        os.killpg(self._running.child.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self._running.child.pid, signal.SIGCONT)

    def close(self) -> None:
        self._running.children.close()
