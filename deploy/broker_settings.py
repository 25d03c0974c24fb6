"""What the bus needs of a broker's own settings, asked before topics are applied to it.

Without them nothing fails, until something is lost: a broker that forgets how far workers have read makes them judge
anew, one that lets a replica lead which lacks records loses what was acknowledged. Topics cannot mend that.
"""

from collections.abc import Mapping

from confluent_kafka.admin import AdminClient, ConfigResource

from deploy.kafka_access import in_sync, listed
from schemas.errors import MisconfiguredError

A_YEAR = 365 * 24 * 60  # minutes: workers that rest for longer are no city's
_UNCLEAN = "unclean.leader.election.enable"


def require(admin: AdminClient, replication: int, seconds: float) -> None:
    """Ask every broker, each within so many seconds.

    Raises MisconfiguredError, with the setting's name, and KafkaException where the brokers do not answer.
    """
    for number in sorted(listed(admin, seconds).brokers):
        broker = ConfigResource(ConfigResource.Type.BROKER, str(number))  # the library takes one in a call
        answer = admin.describe_configs([broker], request_timeout=seconds)[broker].result()
        if lacking := lack({name: entry.value for name, entry in answer.items()}, replication):
            raise MisconfiguredError(f"{lacking} at broker {number}.")


def lack(found: Mapping[str, str | None], replication: int) -> str | None:
    """Return what one broker's settings lack for records of so many copies; None where it is nothing."""
    if found.get(_UNCLEAN) != "false":
        return f"{_UNCLEAN} must be false"
    for name, least in _least(replication).items():
        value = found.get(name) or ""
        if not value.isdecimal() or int(value) < least:
            return f"{name} must be at least {least}"
    return None


def _least(replication: int) -> dict[str, int]:
    return {
        "offsets.retention.minutes": A_YEAR,
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": in_sync(replication),
    }
