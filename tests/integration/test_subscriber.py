"""A party's own ear on a real broker: its views, its refusals, the answers to single sayings; and dead letters."""

from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consumers.dead_letters import DeadLetter
from consumers.subscriber import Answers, Subscriber
from deploy import clients
from deploy.cli import dead, reach
from deploy.settings import Settings
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.canonical import canonical
from schemas.errors import UnreachableError
from schemas.records import Outbound
from schemas.verdicts import Accepted, Refusal, answer
from tests import wire
from tests.brokers import RunningKafka

PARTY = "vink"


@pytest.fixture
def ear(emptied: RunningKafka) -> Subscriber:
    return Subscriber(PARTY, partial(clients.consumer, emptied.access(PARTY)))


def some_view() -> Outbound:
    """A view of the scenario, under an id of its own."""
    view = next(r for r in wire.everything() if r.topic == topics.views(PARTY))
    id_ = str(uuid4())
    headers = tuple((name, id_.encode() if name == "ce_id" else text) for name, text in view.headers)
    return Outbound(view.topic, 0, id_.encode(), view.value, headers)


async def heard(views: AsyncIterator[dict[str, Any]]) -> list[str]:
    return [view["id"] async for view in views]


async def test_from_the_end_only_what_comes(ear: Subscriber, write: AcknowledgedSender) -> None:
    await write(some_view())
    listening = await ear.listen()
    new = some_view()
    await write(new)
    try:
        assert await heard(listening.views(idle=1)) == [(new.key or b"").decode()]
    finally:
        await listening.stop()


async def test_from_the_beginning_all_that_is_kept_but_what_was_erased(
    ear: Subscriber, write: AcknowledgedSender
) -> None:
    view = some_view()
    await write(view)
    await write(Outbound(view.topic, 0, view.key, None))
    listening = await ear.listen(from_beginning=True)
    try:
        views = [found async for found in listening.views(idle=1)]
    finally:
        await listening.stop()
    assert views[-1]["id"] == (view.key or b"").decode()
    assert views[-1]["data"]["grounds"]
    assert views[-1]["specversion"] == "1.0"


async def test_refusals_are_those_and_no_repeated_acceptance(ear: Subscriber, write: AcknowledgedSender) -> None:
    refused, repeated = Refusal(str(uuid4()), "schema", ("/data",)), Accepted(str(uuid4()), duplicate=True)
    for verdict in (refused, repeated):
        await write(answer(PARTY, verdict, 3))
    assert [body["id"] async for body in ear.refusals()][-1] == refused.id
    assert repeated.id not in {body["id"] async for body in ear.refusals()}


async def test_an_answer_is_known_by_the_place_of_its_saying(emptied: RunningKafka, write: AcknowledgedSender) -> None:
    answers = Answers(PARTY, partial(clients.consumer, emptied.access(PARTY)))
    await answers.start()
    try:
        id_ = str(uuid4())
        for place, reason in ((41, "schema"), (42, "unknown_case")):
            await write(answer(PARTY, Refusal(id_, reason), place))
        assert (await answers.to(42, 5) or {})["reason"] == "unknown_case"
        assert await answers.to(43, 0.1) is None
    finally:
        await answers.stop()


@pytest.fixture
def settings(emptied: RunningKafka, services_home: Path) -> Settings:
    return Settings(home=services_home, kafka_bootstrap=emptied.bootstrap)


async def written(send: AcknowledgedSender, letters: Iterable[DeadLetter]) -> None:
    for letter in letters:
        await send(Outbound(topics.DEAD, 0, letter.key, canonical(letter.body())))


async def test_dead_records_are_submitted_again_by_the_services_own_rights(
    write: AcknowledgedSender, settings: Settings
) -> None:
    admitted = Outbound(topics.ADMITTED, 3, b"case", b"{}", (("ce_id", b"x"),))
    inbox = Outbound(topics.inbox(PARTY), 0, b"case", b"{}", (("ce_id", b"y"),))
    places = [await write(admitted), await write(inbox)]
    letters = [
        DeadLetter(topics.ADMITTED, 3, places[0], "coordinate", "KeyError"),
        DeadLetter(topics.inbox(PARTY), 0, places[1], "admit", "KeyError"),
        DeadLetter(topics.ADMITTED, 4, 0, "coordinate", "KeyError"),  # nothing is there
    ]
    await written(write, letters)
    assert await dead.standing(settings) == tuple(letters)
    assert [submitted for _, submitted in await dead.retry(settings)] == [True, True, False]
    assert await dead.standing(settings) == ()
    again = [
        DeadLetter(topics.ADMITTED, 3, places[0] + 1, "", ""),
        DeadLetter(topics.inbox(PARTY), 0, places[1] + 1, "", ""),
    ]
    for letter, record in zip(again, (admitted, inbox), strict=True):
        found = await dead.record_of(settings, letter)
        assert found is not None
        assert (found.key, found.value, found.headers) == (record.key, record.value, record.headers)


def test_kafka_that_does_not_answer_is_one_clear_line(services_home: Path, kafka: RunningKafka) -> None:
    assert kafka.bootstrap
    gone = Settings(home=services_home, kafka_bootstrap="127.0.0.1:1")
    with pytest.raises(UnreachableError, match="Kafka"):
        reach.run(dead.standing(gone))
