"""`samspil scenario`: a story of several parties, played on a running bus."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from consumers.subscriber import Answers
from deploy import clients
from deploy import settings as settings_
from deploy.cli import reach
from deploy.cli.console import Json, answer_json, note, progress, progress_over
from deploy.cli.verdict_lines import tell
from deploy.scenario_file import Line, Utterance, read_scenario, shifted
from deploy.scenario_player import Voice, play_scenario
from deploy.settings import Settings
from deploy.voices import HttpVoice, KafkaVoice
from producers.kafka_publisher import KafkaPublisher
from producers.publisher import Publisher

app = typer.Typer(no_args_is_help=True, help="Stories of several parties, for demonstrations and tests.")


class Shift(StrEnum):
    """Where in time a scenario is moved."""

    NOW = "now"


class Via(StrEnum):
    """How the parties speak."""

    HTTP = "http"
    KAFKA = "kafka"


@app.command("play")
def play_command(
    file: Annotated[Path, typer.Argument(help="The scenario: JSON lines of deposits and structured CloudEvents.")],
    shift: Annotated[
        Shift | None, typer.Option(help="now: move every date and time, so that the newest event is said now.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="How many times as fast as it happened; unset: as fast as verdicts come."),
    ] = None,
    via: Annotated[
        Via, typer.Option(help="http: the gateway; kafka: each party's own Kafka login (deposits go by HTTP).")
    ] = Via.HTTP,
    as_json: Json = False,
) -> None:
    """Play a scenario: each deposit and event as its own party, each after the verdict on the one before.

    Refusals are part of the story, so they do not change the exit code: 0 says that it was played to its end.
    """
    lines = read_scenario(file)
    if shift:
        lines = shifted(lines, datetime.now(UTC))
    reach.run(_play(lines, speed, via, as_json=as_json))


async def _play(lines: tuple[Line, ...], speed: float | None, via: Via, *, as_json: bool) -> None:
    settings = settings_.load()
    reach.require_gateway(settings)
    total = sum(isinstance(line, Utterance) for line in lines)
    told = refused = 0
    async for verdict in play(settings, lines, speed=speed, via=via):
        told, refused = told + 1, refused + (verdict["verdict"] == "refused")
        progress_over()
        _tell(verdict, as_json=as_json)
        progress(f"{told} of {total} events")
    progress_over()
    note(f"Played: {told - refused} events accepted, {refused} refused.")


async def play(
    settings: Settings, lines: tuple[Line, ...], *, speed: float | None = None, via: Via = Via.HTTP
) -> AsyncIterator[dict[str, Any]]:
    """Play a scenario on the bus that the settings name, and yield its verdicts (`up --demo` uses it too)."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient())
        voices: dict[str, Voice] = {}
        for party in dict.fromkeys(line.party for line in lines):
            publisher = Publisher(settings.base_url, reach.token(settings, party), client=client)
            voices[party] = (
                HttpVoice(publisher) if via is Via.HTTP else await _on_kafka(stack, settings, party, publisher)
            )
        async for verdict in play_scenario(lines, voices.__getitem__, speed):
            yield verdict


async def _on_kafka(stack: AsyncExitStack, settings: Settings, party: str, publisher: Publisher) -> KafkaVoice:
    make = partial(clients.producer, settings.kafka(party))
    kafka = await stack.enter_async_context(KafkaPublisher(party, make))
    answers = Answers(party, reach.ear(settings, party))
    await answers.start()
    stack.push_async_callback(answers.stop)
    return KafkaVoice(publisher, kafka, answers)


def _tell(verdict: dict[str, Any], *, as_json: bool) -> None:
    if not as_json:
        tell(verdict, as_json=False)
        return
    repeated = {"duplicate": True} if verdict.get("duplicate") else {}
    answer_json({"id": verdict["id"], "verdict": verdict["verdict"], "reason": verdict.get("reason"), **repeated})
