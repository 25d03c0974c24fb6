"""From the due time of an HTTP request to its verdict (`Prefer: wait`), as a party's client has it.

The cases are opened, and the vault filled, before anything is measured.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.bench.cases import Cases
from deploy.bench.open_loop import said_on_time
from deploy.bench.order import Order
from deploy.scenario_file import Deposit
from producers.publisher import Publisher
from schemas import topics
from schemas.contract_files import load_all
from schemas.errors import SamspilError
from schemas.records import Headers, Outbound

_AT_ONCE = 8
_WAIT = 10.0
Item = tuple[str, bytes]
Submission = tuple[Outbound, tuple[Deposit, ...]]


def run(order: Order) -> None:
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    options = order.options
    cases = Cases(load_all(Path(order.policies)).newest)
    rate, warm = options["rate"], options["warm_seconds"]
    wanted = max(2, round(rate * (options["seconds"] + warm)))
    submissions = list(cases.submitted(wanted, options["cases"], options["seed"]))
    async with AsyncExitStack() as stack:
        # A client each, as parties have: one pool for all looks through all of its connections at each request.
        clients = {party: await stack.enter_async_context(httpx.AsyncClient()) for party in options["tokens"]}
        voices = {
            party: Publisher(options["url"], options["tokens"][party], client=own) for party, own in clients.items()
        }
        for stage in cases.opening(options["cases"]) if options["open"] else ():
            await _deposit(voices, stage)
            await _all(partial(voices[_party(record)].publish, _structured(record), _WAIT) for record, _ in stage)
        await _deposit(voices, submissions)
        found: list[tuple[float, float, str]] = []

        async def say(item: Item, due: float) -> None:
            party, event = item
            try:
                verdict = str((await voices[party].publish(event, _WAIT))["verdict"])
            except SamspilError as error:
                verdict = type(error).__name__
            found.append((due, time.perf_counter() - due, verdict))

        items = [(_party(record), _structured(record)) for record, _ in submissions]
        await asyncio.gather(*await said_on_time(items, rate, say))
    counted = sorted(found)[max(1, round(rate * warm)) :]
    answered = [seconds for _, seconds, verdict in counted if verdict in {"accepted", "refused"}]
    refused = sum(verdict == "refused" for *_, verdict in counted)
    order.answer({"verdicts": answered, "unanswered": len(counted) - len(answered), "refused": refused})


async def _deposit(voices: Mapping[str, Publisher], submissions: Iterable[Submission]) -> None:
    deposits = [deposit for _, needed in submissions for deposit in needed]
    await _all(partial(voices[one.party].deposit, one.ref, one.case, one.field, one.value) for one in deposits)


async def _all(calls: Iterable[Callable[[], Awaitable[Any]]]) -> None:
    """Make these calls, a few at once."""
    waiting = iter(calls)

    async def some() -> None:
        for call in waiting:
            await call()

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


def _party(record: Outbound) -> str:
    return topics.party_of(record.topic)


def _structured(record: Outbound) -> bytes:
    return orjson.dumps({**_attributes(record.headers), "data": orjson.loads(record.value or b"")})


def _attributes(headers: Headers) -> dict[str, Any]:
    return {
        "datacontenttype" if name == "content-type" else name.removeprefix("ce_"): text.decode()
        for name, text in headers
    }
