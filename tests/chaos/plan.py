"""Which faults, in which order: drawn from a seed, so that a run can be repeated.

A plan has rounds. In each the workers are one, then three, then two; zombies come where another worker can
take over. Every kind is in the first round, the rest of the kills follow by weight.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from streams.transport import SESSION_MS

WORKERS = (1, 3, 2)
KILLS_A_ROUND = 50
_LONGEST_PAUSE = 1.5
SESSION_SECONDS = SESSION_MS / 1000  # a worker that is silent for so long is taken for dead


class Kind(StrEnum):
    """What can go wrong."""

    KILL_WORKER = "a worker killed"
    KILL_WORKERS = "all workers killed"
    KILL_PUBLISHER = "a publisher killed"
    KILL_PROJECTOR = "the projector killed"
    KILL_WEB = "the web process killed"
    KILL_BROKER = "the broker killed"
    FREEZE_WORKER = "a worker frozen past its session"
    REPLACE_FROZEN = "a frozen worker replaced under its name"
    FREEZE_BROKER = "the broker frozen"
    STOP_POSTGRES = "PostgreSQL stopped"
    SCALE = "the number of workers changed"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: how long it lasts, the pause before it, and a number that says whom or how many it means."""

    kind: Kind
    seconds: float
    pause: float
    number: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How much: kills in all, seconds that PostgreSQL is away the first time."""

    kills: int
    postgres_seconds: float


WEIGHTS = {
    Kind.KILL_WORKER: 46,
    Kind.KILL_WORKERS: 4,
    Kind.KILL_PUBLISHER: 22,
    Kind.KILL_PROJECTOR: 11,
    Kind.KILL_WEB: 11,
    Kind.KILL_BROKER: 6,
}
_ONCE = (Kind.FREEZE_BROKER, Kind.STOP_POSTGRES)
_ZOMBIES = (Kind.FREEZE_WORKER, Kind.REPLACE_FROZEN)
_SECONDS = {  # from, to
    Kind.KILL_BROKER: (0.0, 2.0),
    Kind.FREEZE_WORKER: (SESSION_SECONDS + 2, SESSION_SECONDS + 5),
    Kind.REPLACE_FROZEN: (0.0, SESSION_SECONDS + 2),
    Kind.FREEZE_BROKER: (4.0, 9.0),
    Kind.STOP_POSTGRES: (3.0, 5.0),
}


def draw(seed: int, shape: Shape) -> tuple[Fault, ...]:
    """Return the plan of a seed."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    rounds = max(1, round(shape.kills / KILLS_A_ROUND))
    kinds = _kills(chance, shape.kills)
    faults: list[Fault] = []
    for number in range(rounds):
        share = kinds[number::rounds]
        for workers, part in zip(WORKERS, _thirds(chance, share), strict=True):
            if faults or workers != WORKERS[0]:  # a run begins with the first number
                faults.append(_fault(chance, Kind.SCALE, workers))
            faults += [_fault(chance, kind, chance.randrange(1_000)) for kind in part]
    return tuple(_with_postgres(faults, shape.postgres_seconds))


def _kills(chance: random.Random, count: int) -> list[Kind]:
    """Return each kind once, then by weight."""
    drawn = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(0, count - len(WEIGHTS)))
    return [*WEIGHTS, *drawn][:count]


def _thirds(chance: random.Random, kills: list[Kind]) -> tuple[list[Kind], ...]:
    """Return a round's faults for each number of workers, zombies in the latter two."""
    kills = chance.sample(kills, len(kills))
    quarter = len(kills) // 4
    once = chance.sample(_ONCE, len(_ONCE))
    zombies = chance.sample(_ZOMBIES, len(_ZOMBIES))
    return (
        kills[:quarter],
        _mixed(chance, [*kills[quarter : 3 * quarter], zombies[0], once[0]]),
        _mixed(chance, [*kills[3 * quarter :], zombies[1], once[1]]),
    )


def _mixed(chance: random.Random, kinds: list[Kind]) -> list[Kind]:
    return chance.sample(kinds, len(kinds))


def _fault(chance: random.Random, kind: Kind, number: int) -> Fault:
    seconds = chance.uniform(*_SECONDS.get(kind, (0.0, 0.0)))
    return Fault(kind, round(seconds, 2), round(chance.uniform(0, _LONGEST_PAUSE), 2), number)


def _with_postgres(faults: list[Fault], seconds: float) -> list[Fault]:
    """Return the faults with PostgreSQL's first absence as long as wished."""
    first = next(place for place, fault in enumerate(faults) if fault.kind is Kind.STOP_POSTGRES)
    changed = Fault(Kind.STOP_POSTGRES, seconds, faults[first].pause, faults[first].number)
    return [*faults[:first], changed, *faults[first + 1 :]]
