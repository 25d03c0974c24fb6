"""COORDINATE as Faust's documentation recommends it: an agent, a Table of states, `topic.send` for each output."""

import sys

import faust
from faust.types.auth import SASLMechanism

from deploy.bench.order import Order
from deploy.bench.subjects.one_by_one import OneByOne, headers_of
from schemas import topics
from schemas.records import Inbound


def run(order: Order) -> None:
    app = application(order)
    sys.argv = [order.name, "worker", "--without-web", "--loglevel", "warn"]
    app.main()


def application(order: Order) -> faust.App:
    app = faust.App(
        order.name,
        broker=f"kafka://{order.access['bootstrap']}",
        broker_credentials=faust.SASLCredentials(
            username=order.access["principal"],
            password=order.access["password"],
            mechanism=SASLMechanism.SCRAM_SHA_256,
        ),
        processing_guarantee=order.options["guarantee"],
        topic_partitions=topics.PARTITIONS,
        topic_disable_leader=True,
        datadir=order.options["folder"],
    )
    admitted = app.topic(topics.ADMITTED, key_type=bytes, value_type=bytes, value_serializer="raw")
    states = app.Table("states", key_type=str, value_type=bytes, partitions=topics.PARTITIONS)
    outputs = {
        name: app.topic(name, key_type=bytes, value_type=bytes, value_serializer="raw")
        for name in order.options["outputs"]
    }
    step = OneByOne(order.policies, states.get)

    @app.agent(admitted)
    async def coordinate(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message = event.message
            record = Inbound(
                message.topic, message.partition, message.offset, event.key, event.value, headers_of(event.headers)
            )
            changed, written = step.judge(record)
            for key, encoded in changed.items():
                states[key] = encoded
            for output in written:
                await outputs[output.topic].send(
                    key=output.key, value=output.value, partition=output.partition, headers=list(output.headers)
                )

    return app
