"""How one principal reaches Kafka: address, name, password. Kept apart from any client library's words for it."""

import time
from dataclasses import dataclass, field

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from schemas.errors import UnreachableError

_PING_SECONDS = 2.0
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """One principal's way in. The password is no part of its repr."""

    bootstrap: str
    principal: str
    password: str = field(repr=False)

    def admin(self) -> AdminClient:
        return AdminClient(self.librdkafka())

    def librdkafka(self) -> dict[str, str | int | float | bool]:
        """Settings of confluent-kafka's clients."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": self.principal,
            "sasl.password": self.password,
            "log_level": 0,  # librdkafka writes to standard error by itself; failures reach us as exceptions
        }

    def aiokafka(self) -> dict[str, str]:
        """Keyword arguments of aiokafka's clients."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": self.principal,
            "sasl_plain_password": self.password,
        }


def in_sync(copies: int) -> int:
    """How many of a record's copies must stand before it is acknowledged: most, so that one of three may be away."""
    return copies // 2 + 1


def answers(access: KafkaAccess) -> bool:
    """Whether a broker answers this principal: a signed-in round trip, not only an open port."""
    try:
        return bool(access.admin().list_topics(timeout=_PING_SECONDS).brokers)
    except KafkaException:
        return False


def listed(admin: AdminClient, seconds: float) -> ClusterMetadata:
    """Return what the brokers hold, from an answer that names a controller.

    A broker that stood still for longer than its session names none until it is let in again, and librdkafka, told
    so, does not ask again by itself: making or deleting a topic then waits a minute for nothing. Ask this first.
    Raises KafkaException when no broker answers, UnreachableError when none is named in time.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if (found := admin.list_topics(timeout=left)).controller_id >= 0:
            return found
        time.sleep(_LOOK)
    raise UnreachableError(f"Kafka's controller: no broker named one within {seconds:.0f} s.")
