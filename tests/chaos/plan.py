"""Which faults, in which order: drawn from a seed, so that a run can be repeated.

A plan has rounds. In each the workers are one, then three, then two; zombies come where another worker can
take over. Every kind is in the first round, the rest of the kills follow by weight. Some kills come alone, some
while another fault lasts: what is started again then finds the rest of the bus away, or half of it.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

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
    """One fault: how long it lasts, the pause before it, and a number that says whom or how many it means.

    `meanwhile`: the kills that come while it lasts, each after its own pause.
    """

    kind: Kind
    seconds: float
    pause: float
    number: int
    meanwhile: tuple["Fault", ...] = ()

    def __str__(self) -> str:
        kills = Counter(kill.kind for kill in self.meanwhile)
        told = ", ".join(f"{kind} x{times}" if times > 1 else kind for kind, times in kills.items())
        return f"{self.kind} (meanwhile {told})" if told else self.kind


@dataclass(frozen=True, slots=True)
class Shape:
    """How much: kills in all, seconds that PostgreSQL is away the first time, kills of the broker at least."""

    kills: int
    postgres_seconds: float
    broker_kills: int = 1


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
LASTING = frozenset(_SECONDS)
_AT_ONCE = frozenset(WEIGHTS) - LASTING  # kills that are over at once, and so may come meanwhile
_LONG = 15.0  # what lasts longer has a kill every so many seconds:
_EVERY = (6.0, 10.0)  # from, to


def draw(seed: int, shape: Shape) -> tuple[Fault, ...]:
    """Return the plan of a seed."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    rounds = max(1, round(shape.kills / KILLS_A_ROUND))
    once, more = _kills(chance, shape)
    faults: list[Fault] = []
    for number in range(rounds):
        share = more[number::rounds]
        spans = _SECONDS
        if number == 0:
            share = [*once, *share]
            spans = {**_SECONDS, Kind.STOP_POSTGRES: (shape.postgres_seconds, shape.postgres_seconds)}
        for workers, part in zip(WORKERS, _thirds(chance, share), strict=True):
            if faults or workers != WORKERS[0]:  # a run begins with the first number
                faults.append(_fault(chance, Kind.SCALE, workers, spans))
            drawn = [_fault(chance, kind, chance.randrange(1_000), spans) for kind in part]
            faults += _overlapping(chance, drawn)
    return tuple(faults)


def _kills(chance: random.Random, shape: Shape) -> tuple[list[Kind], list[Kind]]:
    """Return each kind once, and what follows by weight, after as many of the broker as are to be."""
    once = list(WEIGHTS)[: shape.kills]
    left = shape.kills - len(once)
    wished = [Kind.KILL_BROKER] * min(left, shape.broker_kills - 1)
    drawn = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=left - len(wished))
    return once, _mixed(chance, [*wished, *drawn])


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


def _fault(chance: random.Random, kind: Kind, number: int, spans: Mapping[Kind, tuple[float, float]]) -> Fault:
    seconds = chance.uniform(*spans.get(kind, (0.0, 0.0)))
    return Fault(kind, round(seconds, 2), round(chance.uniform(0, _LONGEST_PAUSE), 2), number)


def _overlapping(chance: random.Random, part: list[Fault]) -> list[Fault]:
    """Return a part's faults with some of its kills inside those that last.

    Each of these has one as far as there are any, a long one several, but never more than half of what is left then.
    Others have a second one only while enough are left to come alone.
    """
    kills = [place for place, fault in enumerate(part) if fault.kind in _AT_ONCE]
    chance.shuffle(kills)
    alone = len(kills) // 4
    longest_first = sorted(_lasting(part), key=lambda place: -part[place].seconds)
    inside: dict[int, list[int]] = {}
    for place in longest_first:
        room = min(_room(chance, part[place].seconds), max(1, len(kills) // 2), len(kills))
        inside[place] = [kills.pop() for _ in range(room)]
    for place in longest_first:
        if part[place].seconds < _LONG and len(kills) > alone and chance.randrange(2):
            inside[place].append(kills.pop())
    gone = {place for taken in inside.values() for place in taken}
    return [
        replace(fault, meanwhile=_spread(chance, fault.seconds, [part[taken] for taken in inside.get(place, ())]))
        for place, fault in enumerate(part)
        if place not in gone
    ]


def _lasting(part: list[Fault]) -> list[int]:
    return [place for place, fault in enumerate(part) if fault.kind in LASTING]


def _room(chance: random.Random, seconds: float) -> int:
    """Return how many kills are to come within so many seconds."""
    return 1 if seconds < _LONG else round(seconds / chance.uniform(*_EVERY))


def _spread(chance: random.Random, seconds: float, kills: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return them with pauses that spread them over so many seconds."""
    moments = sorted(chance.uniform(0, seconds) for _ in kills)
    pauses = (round(later - earlier, 2) for earlier, later in pairwise([0.0, *moments]))
    return tuple(replace(kill, pause=pause) for kill, pause in zip(kills, pauses, strict=True))
