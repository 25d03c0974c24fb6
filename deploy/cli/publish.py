"""`samspil publish`: events of one party through the gateway, a verdict for each."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy import settings
from deploy.cli import reach
from deploy.cli.console import FINE, NO, Json, note, progress, progress_over
from deploy.cli.files import events
from deploy.cli.verdict_lines import tell
from deploy.voices import HttpVoice
from producers.publisher import Publisher

IN_FLIGHT = 32

Numbered = tuple[int, bytes]


def publish(
    party: reach.As,
    file: Annotated[
        Path, typer.Argument(help="One event or JSON lines of structured CloudEvents; - for standard input.")
    ] = Path("-"),
    token: Annotated[
        str | None, typer.Option(envvar="SAMSPIL_TOKEN", help="A bearer token of another issuer than the local one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say events as a party, through the gateway, and print the verdict on each, in order.

    A line that is refused gets its reason, and the rest goes on. Exit code 0: all accepted; 1: some were not.
    """
    reach.require_party(party)
    token = reach.bearer(token) if token else None
    lines = events(file)
    counts = reach.run(_publish(party, lines, token, as_json=as_json))
    note(_summary(counts))
    raise typer.Exit(FINE if counts["accepted"] == len(lines) else NO)


async def _publish(party: str, lines: list[Numbered], token: str | None, *, as_json: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    current = settings.load()
    reach.require_gateway(current)
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    async with httpx.AsyncClient(limits=limits) as client:
        publisher = Publisher(current.base_url, token or reach.token(current, party), client=client)
        async for number, verdict in said(HttpVoice(publisher), lines):
            counts[verdict["verdict"]] += 1
            progress_over()
            tell(verdict, number, as_json=as_json)
            progress(f"{counts.total()} of {len(lines)}")
    progress_over()
    return counts


def _summary(counts: Counter[str]) -> str:
    undecided = f", {counts['pending']} not judged yet: ask again later" if counts["pending"] else ""
    return f"{counts['accepted']} accepted, {counts['refused']} refused{undecided}."


async def said(voice: HttpVoice, lines: Iterable[Numbered]) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Say lines and yield the verdicts in their order: many at a time, those of one case one after the other."""
    last: dict[str | None, asyncio.Task[dict[str, Any]]] = {}
    under_way: deque[tuple[int, asyncio.Task[dict[str, Any]]]] = deque()
    try:
        for number, line in lines:
            case = _case(line)
            saying = asyncio.create_task(_after(last.get(case), voice, line))
            if case is not None:
                last[case] = saying
            under_way.append((number, saying))
            if len(under_way) >= IN_FLIGHT:
                yield await _next(under_way)
        while under_way:
            yield await _next(under_way)
    finally:
        for _, task in under_way:
            task.cancel()


async def _next(under_way: deque[tuple[int, asyncio.Task[dict[str, Any]]]]) -> tuple[int, dict[str, Any]]:
    number, task = under_way.popleft()
    return number, await task


async def _after(before: "asyncio.Task[dict[str, Any]] | None", voice: HttpVoice, line: bytes) -> dict[str, Any]:
    if before is not None:
        await asyncio.wait([before])
    return await voice.say(line)


def _case(line: bytes) -> str | None:
    """Return the case that a line is about, as far as it can be read; what is about none waits for nothing."""
    try:
        subject = json.loads(line)["subject"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return subject if isinstance(subject, str) else None
