"""The broker part of a run, as a fault sees it. One broker here; a cluster stands behind the same words."""

import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from deploy.kafka_access import KafkaAccess
from tests import brokers


class Broker(Protocol):
    """What a fault can do to Kafka. `number` helps to choose a broker where there are several.

    `count`: how many there are. `led`: how often one was taken away that led what.
    """

    count: int
    led: Counter[str]

    def access(self, principal: str = "admin") -> KafkaAccess:
        """How a principal reaches it."""

    def kill(self, number: int) -> None:
        """As a crash would."""

    def restart(self) -> None:
        """Start what was killed; return once all is as before."""

    def pause(self, number: int) -> None:
        """Freeze it."""

    def resume(self) -> None:
        """Let it go on; return once all is as before."""

    def close(self) -> None:
        """Stop for good."""


class SingleBroker:
    """The embedded default's one broker. It leads everything."""

    count = 1

    def __init__(self, home: Path, settings: Mapping[str, object] = MappingProxyType({})) -> None:
        self._running = brokers.start_kafka(home, settings)
        self.led: Counter[str] = Counter()

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
