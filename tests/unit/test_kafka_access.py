"""Waiting for a controller: a broker that stood still names none for a moment, which no test brings about at will."""

import pytest
from confluent_kafka.admin import AdminClient, ClusterMetadata

from deploy.kafka_access import listed
from schemas.errors import UnreachableError


class _Answers(AdminClient):
    """A client that is told these controllers in turn, the last of them from then on."""

    def __init__(self, *controllers: int) -> None:
        super().__init__({"bootstrap.servers": "localhost:1", "log_level": 0})
        self._controllers = list(controllers)

    def list_topics(self, *_: object, **__: object) -> ClusterMetadata:
        found = ClusterMetadata()
        found.controller_id = self._controllers.pop(0) if len(self._controllers) > 1 else self._controllers[0]
        return found


def test_it_is_asked_until_a_controller_is_named() -> None:
    assert listed(_Answers(-1, -1, 3), 60).controller_id == 3


def test_none_in_time_is_an_error() -> None:
    with pytest.raises(UnreachableError, match="controller"):
        listed(_Answers(-1), 0.01)
