"""The parts of the embedded default, all seen alike: how each is launched, and when it is ready."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.embedded.kafka import Kafka
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import Child, Children, Command
from deploy.settings import Settings

FRESH_SECONDS = 5.0  # a readiness file older than this is from a process that hangs or is gone
SERVICES = ("worker", "projector", "web")  # as people read them; they start and stop together
MISCONFIGURED = 78  # a service's exit code that says: starting me again changes nothing


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its name, how to launch it, and the question whether it is ready."""

    name: str
    launch: Callable[[Children], Child]
    is_ready: Callable[[], bool]
    seconds: float


def brokers(kafka: Kafka, postgres: Postgres) -> tuple[Part, ...]:
    return (
        Part("kafka", kafka.launch, kafka.answers, 90),
        Part("postgres", postgres.launch, postgres.answers, 60),
    )


def services(settings: Settings) -> tuple[Part, ...]:
    return tuple(_service(name, settings) for name in SERVICES)


def _service(name: str, settings: Settings) -> Part:
    def launch(children: Children) -> Child:
        settings.ready_file(name).unlink(missing_ok=True)  # what a killed one may have left
        return children.start(command(name, ("service", name), settings))

    def is_ready() -> bool:
        return _answers(settings) if name == "web" else _is_fresh(settings.ready_file(name))

    return Part(name, launch, is_ready, 60)


def command(name: str, arguments: tuple[str, ...], settings: Settings) -> Command:
    """A samspil command as a process of its own, with these settings and a log by its name."""
    program = (sys.executable, "-m", "deploy.cli.main", *arguments)
    return Command(name, program, settings.home / "logs" / f"{name}.log", _environment(settings))


def _environment(settings: Settings) -> Mapping[str, str]:
    return {**settings.environment(), "PYTHONUNBUFFERED": "1"}


def _is_fresh(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < FRESH_SECONDS
    except FileNotFoundError:
        return False


def _answers(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.base_url}/readyz", timeout=3, trust_env=False).is_success
    except httpx.HTTPError:
        return False
