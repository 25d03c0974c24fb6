"""Which settings of a broker the bus can live with, as far as it asks."""

import pytest

from deploy.broker_settings import A_YEAR, lack

OF_THREE = {
    "unclean.leader.election.enable": "false",
    "offsets.retention.minutes": str(A_YEAR),
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}


@pytest.mark.parametrize("replication", [1, 2, 3])
def test_what_is_asked_for_is_enough(replication: int) -> None:
    assert lack(OF_THREE, replication) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("unclean.leader.election.enable", "true"),
        ("offsets.retention.minutes", "10080"),  # Kafka's week
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.replication.factor", "2"),
        ("transaction.state.log.min.isr", "1"),
    ],
)
def test_what_would_lose_something_is_named(setting: str, value: str) -> None:
    named = lack({**OF_THREE, setting: value}, 3)
    assert named is not None
    assert named.startswith(f"{setting} must be ")


@pytest.mark.parametrize("setting", OF_THREE)
@pytest.mark.parametrize("value", [None, "", "-1", "years"])
def test_what_is_not_told_counts_as_lacking(setting: str, value: str | None) -> None:
    assert lack({**OF_THREE, setting: value}, 3) is not None
    assert lack({name: kept for name, kept in OF_THREE.items() if name != setting}, 3) is not None


def test_one_copy_needs_one_of_kafkas_own() -> None:
    alone = {**OF_THREE, "offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1"}
    assert lack({**alone, "transaction.state.log.min.isr": "1"}, 1) is None
