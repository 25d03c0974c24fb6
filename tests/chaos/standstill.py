"""What to look at when a run does not come to its end: told at once, while all of it can still be asked.

Where the test runs, in CI too, nothing else of a run is kept; `make chaos` keeps data and logs where not all is clean.

Whether Kafka hides something (an open transaction), a worker does not go on, or the bus has lost an event shows in
the places where each reader stands. Test persons alone are spoken of in a run, so ids may be told.
"""

from collections.abc import Iterator
from contextlib import suppress

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.kafka_access import KafkaAccess
from schemas import topics
from schemas.rights import WORKER_GROUP
from tests import brokers
from tests.chaos.installation import Installation
from tests.chaos.kept import Kept
from tests.chaos.reading import Place
from tests.chaos.watch import Watch

_ANSWER = 20.0
_SHOWN = 5  # events that wait
_LINES = 12  # of each log

_WITH_MARKERS = frozenset({topics.ADMITTED, topics.LOG})  # after the last record of each transaction
_FIRST, _LAST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]


def told(bus: Installation, watch: Watch) -> str:
    """Return where everything stands, in words for whoever reads a failed run."""
    return "\n".join(_lines(bus, watch))


def _lines(bus: Installation, watch: Watch) -> Iterator[str]:
    yield f"{watch.waiting} wait, {watch.judged} judged, the watch {'looks' if watch.is_alive() else 'HAS ENDED'}"
    yield from (f"waits: {line}" for line in watch.waiters[:_SHOWN])
    for kept in (*bus.workers, bus.projector, bus.web, *bus.publishers.values()):
        yield from _process(kept)
    try:
        yield from _places(bus.broker.access(), watch)
    except Exception as error:  # noqa: BLE001 - whatever it is must not hide what was told before
        yield f"Kafka cannot be asked: {error!r}"


def _places(access: KafkaAccess, watch: Watch) -> Iterator[str]:
    """Tell where something was not read yet, by the bus or the watch, or is hidden by an open transaction."""
    judged_from = [topics.ADMITTED, *map(topics.inbox, brokers.parties())]
    told_in = [topics.LOG, *map(topics.refusals, brokers.parties())]
    heard, said = _partitions(judged_from), _partitions(told_in)
    admin = access.admin()
    first = _offsets(admin, heard + said, _FIRST, IsolationLevel.READ_UNCOMMITTED)
    last = _offsets(admin, heard + said, _LAST, IsolationLevel.READ_UNCOMMITTED)
    stable = _offsets(admin, heard + said, _LAST, IsolationLevel.READ_COMMITTED)
    committed = _committed(admin, heard)
    reached = {
        **{place: max(committed[place], first[place]) for place in heard},
        **{place: max(watch.position(place), first[place]) for place in said},
    }
    for place in heard + said:
        # A transaction's marker stands after what it wrote, and nobody is given it.
        left = last[place] - reached[place] - (place[0] in _WITH_MARKERS)
        if left > 0 or stable[place] != last[place]:
            yield (
                f"{place[0]}/{place[1]}: {first[place]} to {last[place]}, stable to {stable[place]}, "
                f"{'judged' if place in committed else 'watched'} to {reached[place]}"
            )


def _partitions(names: list[str]) -> list[Place]:
    return [(name, partition) for name in names for partition in range(topics.partitions(name))]


def _offsets(admin: AdminClient, places: list[Place], which: OffsetSpec, level: IsolationLevel) -> dict[Place, int]:
    asked = {TopicPartition(*place): which for place in places}
    answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_ANSWER)
    return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}


def _committed(admin: AdminClient, places: list[Place]) -> dict[Place, int]:
    """Return where the workers go on; negative where they never were."""
    asked = [ConsumerGroupTopicPartitions(WORKER_GROUP, [TopicPartition(*place) for place in places])]
    group = admin.list_consumer_group_offsets(asked, request_timeout=_ANSWER)[WORKER_GROUP].result()
    return {(one.topic, one.partition): one.offset for one in group.topic_partitions or ()}


def _process(kept: Kept) -> Iterator[str]:
    yield f"{kept.name}: {kept.told}"
    with suppress(FileNotFoundError):
        yield from (f"    {line}" for line in kept.log.read_text(errors="replace").splitlines()[-_LINES:])
