"""One benchmark from start to end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.bench import broker, goals, machine
from deploy.bench.figures import Figure
from deploy.bench.ground import Ground
from deploy.bench.load import LEAST_ACCEPTED, Load
from deploy.bench.measures import admitting, auditing, growing, judging, latency, streaming
from deploy.bench.processes import Processes
from deploy.bench.report import Report
from deploy.bench.scale import LETTERS, Scale
from schemas.contract import Contracts
from schemas.errors import MisconfiguredError

PEERS = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be measured."""

    only: frozenset[str]
    scale: Scale
    seed: int = 1


def run(contracts: Contracts, policies: Path, cache: Path, wishes: Wishes, say: Callable[[str], None]) -> Report:
    """Measure on a broker of its own, and clean up."""
    load = Load(contracts.newest, wishes.seed, wishes.scale.at_once)
    if load.accepted_share < LEAST_ACCEPTED:
        raise MisconfiguredError(f"the contract takes only {load.accepted_share:.0%} of the benchmark's events.")
    with broker.running(cache, contracts.parties, say) as own:
        ground = Ground(own, Processes(own, policies), contracts.newest, wishes.scale, wishes.seed, say)
        figures, unmeasured = _measured(ground, wishes.only)
    said = {
        "seed": wishes.seed,
        "events": wishes.scale.events,
        "backlog": wishes.scale.backlog,
        "accepted": round(load.accepted_share, 4),
        "types": dict(load.types),
    }
    return Report(figures, goals.reached(figures), said, machine.described(), unmeasured)


def _measured(ground: Ground, only: frozenset[str]) -> tuple[list[Figure], list[str]]:
    figures: list[Figure] = []
    unmeasured: list[str] = []
    if "a" in only:
        figures += judging.measure(ground)
    if "e" in only and not PEERS.exists():
        unmeasured.append("(e) was not measured: its frameworks are not there. They come with: make bench")
    contenders = [
        *(streaming.coordinates(ground) if "a" in only else []),
        *(streaming.copies() if "c" in only else []),
        *(streaming.fausts(ground.broker.parties) if "d" in only else []),
        *(streaming.frameworks(ground.broker.parties, PEERS) if "e" in only and PEERS.exists() else []),
    ]
    if contenders:
        figures += streaming.measure(ground, contenders)
    if "b" in only:
        figures += admitting.measure(ground)
    if "f" in only:
        figures += auditing.measure(ground)
    if only & {"g", "i"}:
        figures += growing.measure(ground, recovery="g" in only, cost="i" in only)
    if "h" in only:
        figures += latency.measure(ground)
    return sorted(figures, key=lambda figure: figure.key[0]), unmeasured


def wished(only: str | None, scale: Scale, runs: int | None, events: int | None, seed: int) -> Wishes:
    """Return what a command line asks for. Raises MisconfiguredError."""
    letters = frozenset(only.replace(",", "").replace(" ", "").lower()) if only else frozenset(LETTERS)
    if not letters or letters - set(LETTERS):
        raise MisconfiguredError(f"--only takes letters from a to {LETTERS[-1]}, with commas between.")
    backlog = 3 * events if events else scale.backlog
    sized = replace(scale, runs=runs or scale.runs, events=events or scale.events, backlog=backlog)
    return Wishes(letters, sized, seed)
