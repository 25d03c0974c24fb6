"""Fixtures of every test: the real services, started on demand, once per session, and surely stopped."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import brokers

# No example has a time limit: how long one takes says how busy the machine is, and nothing else.
settings.register_profile("samspil", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("samspil")

# A shell lets what it starts in the background ignore Ctrl-C, and with it all that is started from there.
signal.signal(signal.SIGINT, signal.default_int_handler)

_MARKED_FOLDERS = ("unit", "contract", "integration", "acceptance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, so that `pytest -m unit` needs no line in each file."""
    for item in items:
        for folder in _MARKED_FOLDERS:
            if folder in item.path.parts:
                item.add_marker(folder)


@pytest.fixture(scope="session")
def services_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for both services, so that they share the passwords."""
    return tmp_path_factory.mktemp("samspil")


@pytest.fixture(scope="session")
def kafka(services_home: Path) -> Iterator[brokers.RunningKafka]:
    """Kafka with the catalogue's topics, rights and users. Shared: use ids of your own, or `reset()`."""
    running = brokers.start_kafka(services_home)
    yield running
    running.children.close()


@pytest.fixture(scope="session")
def postgres(services_home: Path) -> Iterator[brokers.RunningPostgres]:
    """PostgreSQL with an empty database samspil; the passwords are Kafka's."""
    running = brokers.start_postgres(services_home)
    yield running
    running.children.close()
