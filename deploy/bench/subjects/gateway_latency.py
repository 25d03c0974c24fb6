"""From the due time of an HTTP request to its verdict (`Prefer: wait`), as a party's client has it."""

import asyncio
import time
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.bench.load import Load
from deploy.bench.open_loop import said_on_time
from deploy.bench.order import Order
from deploy.scenario_file import Deposit
from producers.publisher import Publisher
from schemas.contract_files import load_all
from schemas.errors import SamspilError
from schemas.records import Headers, Outbound

_DEPOSITS_AT_ONCE = 8
_WAIT = 10.0
Item = tuple[str, bytes]


def run(order: Order) -> None:
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    options = order.options
    load = Load(load_all(Path(order.policies)).newest, options["seed"], options["at_once"])
    rate, warm = options["rate"], options["warm_seconds"]
    wanted = max(2, round(rate * (options["seconds"] + warm)))
    submissions = list(islice(load.deposited(), wanted))
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(limits=limits) as client:
        voices = {party: Publisher(options["url"], token, client=client) for party, token in options["tokens"].items()}
        await _deposit(voices, [deposit for *_, deposits in submissions for deposit in deposits])
        found: list[tuple[float, float, str]] = []

        async def say(item: Item, due: float) -> None:
            party, event = item
            try:
                verdict = str((await voices[party].publish(event, _WAIT))["verdict"])
            except SamspilError as error:
                verdict = type(error).__name__
            found.append((due, time.perf_counter() - due, verdict))

        items = [(said.party, _structured(record)) for said, record, _ in submissions]
        await asyncio.gather(*await said_on_time(items, rate, say))
    counted = sorted(found)[max(1, round(rate * warm)) :]
    answered = [seconds for _, seconds, verdict in counted if verdict in {"accepted", "refused"}]
    refused = sum(verdict == "refused" for *_, verdict in counted)
    order.answer({"verdicts": answered, "unanswered": len(counted) - len(answered), "refused": refused})


async def _deposit(voices: dict[str, Publisher], deposits: list[Deposit]) -> None:
    waiting = iter(deposits)

    async def some() -> None:
        for deposit in waiting:
            await voices[deposit.party].deposit(deposit.ref, deposit.case, deposit.field, deposit.value)

    await asyncio.gather(*(some() for _ in range(_DEPOSITS_AT_ONCE)))


def _structured(record: Outbound) -> bytes:
    return orjson.dumps({**_attributes(record.headers), "data": orjson.loads(record.value or b"")})


def _attributes(headers: Headers) -> dict[str, Any]:
    return {
        "datacontenttype" if name == "content-type" else name.removeprefix("ce_"): text.decode()
        for name, text in headers
    }
