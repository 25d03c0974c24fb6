"""How parties speak: over HTTP and over their own Kafka login; and what they are told while the broker is away."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy import clients
from deploy.kafka_access import KafkaAccess
from producers.inbox import AcknowledgedSender
from producers.kafka_publisher import KafkaPublisher
from producers.publisher import Publisher, RejectedError
from schemas import topics
from schemas.errors import BusyError, UnreachableError
from schemas.identity import Role
from schemas.records import Outbound
from tests import http_side, speech
from tests.brokers import RunningKafka
from tests.http_side import BASE, HttpSide
from tests.waiting import eventually


class Shaky(httpx.AsyncBaseTransport):
    """The way to the gateway with some first requests lost, half of them after they arrived."""

    def __init__(self, side: HttpSide, lost: int) -> None:
        """`lost`: how many requests get no answer."""
        self.way = httpx.ASGITransport(side.application)
        self.lost = lost
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests > self.lost:
            return await self.way.handle_async_request(request)
        if self.requests % 2:
            await self.way.handle_async_request(request)
        raise httpx.ReadError("lost")


def publisher(side: HttpSide, party: str, lost: int = 0, patience: float = 20) -> Publisher:
    client = httpx.AsyncClient(transport=Shaky(side, lost))
    side.opened.append(client)
    return Publisher(BASE, side.token(party), client=client, patience=patience)


async def test_deposit_say_and_be_told_though_answers_get_lost(side: HttpSide) -> None:
    concern = speech.concern("buf", str(uuid4()))
    voice = publisher(side, "buf", lost=3)
    for field in ("signs", "person"):
        await voice.deposit(concern.data[field], str(concern.case), field, {"field": field})
    shaky = publisher(side, "buf", lost=3)
    verdict = await shaky.publish(http_side.structured(concern))
    assert (verdict["id"], verdict["verdict"]) == (concern.id, "accepted")
    told = await voice.verdict(concern.id)
    assert told is not None
    assert told["verdict"] == "accepted"
    assert await voice.verdict(str(uuid4())) is None


async def test_a_refusal_is_a_verdict_and_a_missing_right_an_error(side: HttpSide) -> None:
    voice = publisher(side, "buf")
    refused = await voice.publish(http_side.structured(speech.concern("buf", str(uuid4()))))
    assert (refused["verdict"], refused["reason"]) == ("refused", "unknown_ref")
    assert await voice.publish(b"{") == {"id": None, "verdict": "refused", "reason": "bad_envelope", "paths": [""]}
    activity = speech.activity("buf")
    assert await voice.publish(http_side.structured(activity), wait=None) == {"id": activity.id, "verdict": "pending"}
    client = side.client()
    deaf = Publisher(BASE, side.token("buf", Role.RECEIVE), client=client)
    with pytest.raises(RejectedError) as rejected:
        await deaf.publish(http_side.structured(activity))
    assert rejected.value.status == 403
    ref, case = f"vault:{uuid4()}", str(uuid4())
    await voice.deposit(ref, case, "person", "a")
    with pytest.raises(RejectedError) as conflict:
        await voice.deposit(ref, case, "person", "b")
    assert (conflict.value.status, str(conflict.value)) == (409, "The gateway does not take this: conflict (409)")


async def test_patience_ends(side: HttpSide) -> None:
    with pytest.raises(UnreachableError):
        await publisher(side, "buf", lost=1_000, patience=0.3).verdict(str(uuid4()))


async def test_a_party_says_it_with_its_own_login(side: HttpSide, kafka: RunningKafka) -> None:
    activity = speech.activity("kff")
    async with KafkaPublisher("kff", partial(clients.producer, kafka.access("kff"))) as voice:
        offset = await voice.publish(http_side.structured(activity))
    assert offset >= 0

    async def accepted() -> bool:
        return (await side.party("kff").get(f"/events/{activity.id}")).status_code == 200

    await eventually(accepted)


async def test_nobody_says_it_with_anothers_login(kafka: RunningKafka) -> None:
    async with KafkaPublisher("sof", partial(clients.producer, kafka.access("kff"))) as voice:
        with pytest.raises(BusyError):
            await voice.publish(http_side.structured(speech.activity("sof")))


@contextmanager
def frozen(kafka: RunningKafka) -> Iterator[None]:
    """The broker does not answer, and does not hang up either."""
    os.kill(kafka.child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kafka.child.pid, signal.SIGCONT)


async def test_nothing_is_acknowledged_before_the_broker_has_it(kafka: RunningKafka) -> None:
    record = Outbound(topics.inbox("udvalg"), 0, b"udvalg", b"{}")
    async with AcknowledgedSender(partial(clients.producer, kafka.access("gateway")), patience=1.0) as send:
        first = await send(record)
        with frozen(kafka), pytest.raises(BusyError):
            await send(record)

        async def taken() -> bool:
            try:
                return await send(record) > first
            except BusyError:
                return False

        await eventually(taken, 30)


def _sockets() -> set[str]:
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(handle.readlink()))
    return {name for name in found if name.startswith("socket:")}


def _hasty(access: KafkaAccess) -> AIOKafkaProducer:
    """A producer like the others, whose requests time out after a second."""
    return AIOKafkaProducer(**access.aiokafka(), acks="all", enable_idempotence=True, request_timeout_ms=1000)


async def test_a_producer_that_the_broker_does_not_answer_leaves_no_socket(kafka: RunningKafka) -> None:
    record = Outbound(topics.inbox("udvalg"), 0, b"udvalg", b"{}")
    before = _sockets()
    with ExitStack() as ice:
        async with AcknowledgedSender(partial(_hasty, kafka.access("gateway")), patience=0.5) as send:
            await send(record)
            ice.enter_context(frozen(kafka))
            with pytest.raises(BusyError):
                await send(record)
        assert _sockets() <= before  # the broker is still frozen


async def test_what_waits_for_the_broker_is_bounded(kafka: RunningKafka) -> None:
    record = Outbound(topics.inbox("udvalg"), 0, b"udvalg", b"{}")
    async with AcknowledgedSender(partial(clients.producer, kafka.access("gateway")), in_flight=0) as send:
        with pytest.raises(BusyError):
            await send(record)


async def test_the_gateway_says_later_while_the_broker_is_away(side: HttpSide, kafka: RunningKafka) -> None:
    activity = speech.activity("ku")
    with frozen(kafka):
        answer = await http_side.say(side.party("ku"), activity)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await side.client().get("/readyz")).json()["broker"] is False

    async def taken() -> bool:
        # Taken, not judged: a worker that was cut off from its broker ends, and here nobody starts it again.
        return (await http_side.say(side.party("ku"), activity, wait=None)).status_code == 202

    await eventually(taken, 60)
