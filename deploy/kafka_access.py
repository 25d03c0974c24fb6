"""How one principal reaches Kafka: address, name, password. Kept apart from any client library's words for it."""

from dataclasses import dataclass, field

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_PING_SECONDS = 2.0


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
