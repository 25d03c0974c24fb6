"""(h) How long a party waits: over Kafka at three rates, and over HTTP through the whole embedded default.

What is said are events that cases under way take in any order: what two parties say at once may be admitted either
way round, and a refusal would be a different wait.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy import tokens
from deploy.bench.cases import Cases
from deploy.bench.figures import Figure, Series, percentile
from deploy.bench.filling import fill
from deploy.bench.ground import Ground
from deploy.bench.processes import Subject
from deploy.embedded.home import Home
from deploy.embedded.stack import Stack, Wishes
from deploy.settings import load as load_settings
from schemas.contract import Contracts
from schemas.identity import Role

_KAFKA_RATES = (1, 50, 500)
_HTTP_RATES = (1, 50)
_KAFKA_CASES, _HTTP_CASES = 2_000, 400  # over HTTP three rounds make them some twenty events long
_SECONDS = 600.0
_SHARES = (0.5, 0.95, 0.99)


def measure(ground: Ground) -> list[Figure]:
    return [*_over_kafka(ground), *_over_http(ground)]


def _over_kafka(ground: Ground) -> list[Figure]:
    broker = ground.broker
    parties = {party: broker.access(party).password for party in broker.parties}
    trials = [(rate, _series(f"kafka.{rate}", f"Kafka, {rate}/s")) for rate in _KAFKA_RATES]
    for number in range(1, ground.scale.runs + 1):
        broker.fresh()
        fill(broker.access(), Cases(ground.contract).states(_KAFKA_CASES))
        with ground.processes.running(Subject("worker", "worker")) as worker:
            worker.wait_ready()
            for rate, series in trials:
                options = _options(ground, rate, ground.scale.latency_seconds, number)
                told = {**options, "cases": _KAFKA_CASES, "parties": parties}
                with ground.processes.running(Subject("latency"), told) as process:
                    found = process.answer(_SECONDS)
                _note(ground, number, series, found)
    return [one.figure() for _, series in trials for one in series.values()]


def _over_http(ground: Ground) -> list[Figure]:
    trials = [(rate, _series(f"http.{rate}", f"HTTP, {rate}/s", "verdict")) for rate in _HTTP_RATES]
    opened = False
    with _stack(ground) as (url, signed):
        for number in range(1, ground.scale.runs + 1):
            for rate, series in trials:
                options = _options(ground, rate, ground.scale.http_seconds, 100 * number)
                told = {**options, "cases": _HTTP_CASES, "open": not opened, "url": url, "tokens": signed}
                opened = True
                with ground.processes.running(Subject("gateway_latency"), told) as process:
                    found = process.answer(_SECONDS)
                _note(ground, number, series, found)
    return [one.figure() for _, series in trials for one in series.values()]


@contextmanager
def _stack(ground: Ground) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Run the embedded default as `samspil up` starts it, in a home of its own."""
    with tempfile.TemporaryDirectory(prefix="samspil-bench-") as folder:
        settings = load_settings(home=Path(folder) / "home", policies=ground.processes.policies)
        Home(settings.home).ensure()
        stack = Stack(settings, Contracts([ground.contract]), ground.say)
        try:
            run = stack.start(Wishes())
            signed = {
                party: tokens.mint(settings.issuer_folder, party, [Role.PUBLISH], parties=ground.broker.parties)
                for party in ground.broker.parties
            }
            yield run.url, signed
        finally:
            stack.stop()


def _options(ground: Ground, rate: int, seconds: int, number: int) -> dict[str, Any]:
    return {
        "seed": ground.seed + 1_000 * number + rate,
        "rate": rate,
        "seconds": seconds,
        "warm_seconds": ground.scale.warm_seconds,
    }


def _series(key: str, words: str, *kinds: str) -> dict[tuple[str, float], Series]:
    return {
        (kind, share): Series(f"h.{key}.{kind}.p{share * 100:.0f}", f"{words}: to {kind}, p{share * 100:.0f}", "ms")
        for kind in kinds or ("verdict", "view")
        for share in _SHARES
    }


def _note(ground: Ground, number: int, series: Mapping[tuple[str, float], Series], found: Mapping[str, Any]) -> None:
    for (kind, share), one in series.items():
        samples = found[f"{kind}s"]
        told = {"samples": len(samples), "unanswered": found["unanswered"], "refused": found["refused"]}
        one.add(1000 * percentile(samples, share), **told)
        ground.say(f"run {number}: {one.what}: {one.runs[-1]:,.0f} ms ({len(samples)})")
