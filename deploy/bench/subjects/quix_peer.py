"""COORDINATE as Quix Streams' documentation recommends it: a stateful `apply` that expands into all outputs.

Each output goes `to_topic` its own, by the key alone: which partition a record goes to is the library's to choose.
States are in its state store (RocksDB) with a changelog. At least once, or exactly once by one transaction for each
checkpoint, which is every five seconds unless set.
"""

from collections.abc import Sequence
from typing import Any

from quixstreams import Application, State
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.models import Serializer

from deploy.bench.order import Order
from deploy.bench.subjects.one_by_one import OneByOne, headers_of
from schemas import topics
from schemas.records import Inbound, Outbound

_STATE = "state"


class _Value(Serializer):  # type: ignore[misc]  # typed where it is installed
    """An output's bytes as they are."""

    def __call__(self, output: Outbound, *_: Any, **__: Any) -> bytes:
        return output.value or b""


class _Coordinate:
    """The function that is applied, with the state that the library hands in for the record's key."""

    def __init__(self, policies: str) -> None:
        self._state: State | None = None
        self._step = OneByOne(policies, self._read)

    def __call__(self, value: bytes, key: bytes, _timestamp: int, headers: Any, state: State) -> Sequence[Outbound]:
        self._state = state
        changed, written = self._step.judge(Inbound(topics.ADMITTED, 0, 0, key, value, headers_of(headers)))
        for encoded in changed.values():
            state.set_bytes(_STATE, encoded)
        return written

    def _read(self, _key: str) -> bytes | None:
        return self._state.get_bytes(_STATE) if self._state is not None else None


def run(order: Order) -> None:
    application(order).run()


def application(order: Order) -> Application:
    app = Application(
        broker_address=ConnectionConfig(
            bootstrap_servers=order.access["bootstrap"],
            security_protocol="sasl_plaintext",
            sasl_mechanism="SCRAM-SHA-256",
            sasl_username=order.access["principal"],
            sasl_password=order.access["password"],
        ),
        consumer_group=order.name,
        auto_offset_reset="earliest",
        processing_guarantee=order.options["guarantee"],
        state_dir=order.options["folder"],
        loglevel="WARNING",
    )
    admitted = app.topic(topics.ADMITTED, value_deserializer="bytes", key_deserializer="bytes")
    outputs = {name: app.topic(name, value_serializer=_Value()) for name in order.options["outputs"]}
    frame = app.dataframe(admitted)
    frame = frame.apply(_Coordinate(order.policies), stateful=True, metadata=True, expand=True)
    frame = frame.set_headers(lambda output, _key, _timestamp, _headers: list(output.headers))
    frame.to_topic(lambda output, *_: outputs[output.topic], key=lambda output: output.key)
    return app
