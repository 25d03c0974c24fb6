"""(b) ADMIT from full inboxes of several parties; and both steps together, from inbox to log."""

from itertools import islice

from deploy.bench.broker import places
from deploy.bench.figures import Figure, Series, rate
from deploy.bench.filling import fill, stamps
from deploy.bench.ground import Ground
from deploy.bench.processes import Subject
from schemas import topics
from schemas.rights import WORKER_GROUP


def measure(ground: Ground) -> list[Figure]:
    """Fill the inboxes and let the worker empty them."""
    alone = Series("b", "ADMIT: the worker, from inboxes to admitted")
    whole = Series("b.whole", "ADMIT and COORDINATE in one worker, from inboxes to log")
    for number in range(1, ground.scale.runs + 1):
        for series, target, options in (
            (alone, topics.ADMITTED, {"admit_alone": True}),
            (whole, topics.LOG, {}),
        ):
            ground.broker.fresh()
            _run(ground, series, target, options)
            ground.say(f"run {number}: {series.what}: {series.runs[-1]:,.0f} events/s")
    return [alone.figure(), whole.figure()]


def _run(ground: Ground, series: Series, target: str, options: dict[str, bool]) -> None:
    broker, load = ground.broker, ground.load()
    submitted = (record for _, record in islice(load.submitted(), ground.scale.events))
    fill(broker.access(), submitted)
    inboxes = [place for party in broker.parties for place in places(topics.inbox(party))]
    begins = broker.ends(places(target))
    with ground.processes.running(Subject("worker", "worker"), options) as process:
        broker.wait_consumed(WORKER_GROUP, broker.ends(inboxes), process.require_running)
        if target == topics.LOG:
            broker.wait_quiet(places(target), process.require_running)
    found = stamps(broker, begins, sent_alone=True)
    series.add(rate(found, max(load.ramp, ground.scale.events // 5)), records=len(found))
