"""(a), without a broker: the step alone, in memory. Says how much of (a) is Kafka."""

from deploy.bench.figures import Figure, Series
from deploy.bench.ground import Ground
from deploy.bench.processes import Subject

_SECONDS = 600.0


def measure(ground: Ground) -> list[Figure]:
    series = Series("a.judging", "judging only: COORDINATE in memory, no broker")
    scale = ground.scale
    options = {"seed": ground.seed, "at_once": scale.at_once, "events": scale.events}
    for number in range(1, scale.runs + 1):
        with ground.processes.running(Subject("judging"), options) as process:
            found = process.answer(_SECONDS)
        series.add(found["events_per_second"], outputs=found["outputs"], dead=found["dead"])
        ground.say(f"run {number}: {series.what}: {series.runs[-1]:,.0f} events/s")
    return [series.figure()]
