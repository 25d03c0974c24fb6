"""What to look at when a run does not come to its end: told at once, since nothing of a run is kept.

Whether Kafka hides something (an open transaction), a worker does not go on, or the bus has lost an event shows in
the places where each reader stands. Test persons alone are spoken of in a run, so ids may be told.
"""

from collections.abc import Iterator
from contextlib import suppress

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

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

_FIRST, _LAST = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]


def told(bus: Installation, watch: Watch) -> str:
    """Return where everything stands, in words for whoever reads a failed run."""
    return "\n".join(_lines(bus, watch))


def _lines(bus: Installation, watch: Watch) -> Iterator[str]:
    yield f"{watch.waiting} wait, {watch.judged} judged, the watch {'looks' if watch.is_alive() else 'HAS ENDED'}"
    yield from (f"waits: {line}" for line in watch.waiters[:_SHOWN])
    try:
        yield from _places(bus.broker.access(), watch)
    except KafkaException as error:
        yield f"Kafka does not answer: {error.args[0].name()}"
    for kept in (*bus.workers, bus.projector, bus.web, *bus.publishers.values()):
        yield from _process(kept)


def _places(access: KafkaAccess, watch: Watch) -> Iterator[str]:
    """Tell the partitions in which something lies that was not read yet, or that an open transaction hides."""
    admin = access.admin()
    parties = brokers.parties()
    names = [topics.ADMITTED, topics.LOG, *map(topics.inbox, parties), *map(topics.refusals, parties)]
    places = [(name, partition) for name in names for partition in range(topics.partitions(name))]

    def ends(which: OffsetSpec, level: IsolationLevel) -> dict[Place, int]:
        asked = {TopicPartition(*place): which for place in places}
        answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_ANSWER)
        return {(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}

    first, last = ends(_FIRST, IsolationLevel.READ_UNCOMMITTED), ends(_LAST, IsolationLevel.READ_UNCOMMITTED)
    stable = ends(_LAST, IsolationLevel.READ_COMMITTED)
    asked = ConsumerGroupTopicPartitions(WORKER_GROUP, [TopicPartition(*place) for place in places])
    group = admin.list_consumer_group_offsets([asked], request_timeout=_ANSWER)[WORKER_GROUP].result()
    judged = {(one.topic, one.partition): one.offset for one in group.topic_partitions or ()}
    for place in places:
        if stable[place] != last[place] or judged.get(place, -1) not in {-1001, -1, last[place]}:
            yield (
                f"{place[0]}/{place[1]}: {first[place]} to {last[place]}, stable to {stable[place]}, "
                f"judged to {judged.get(place)}, watched to {watch.position(place)}"
            )


def _process(kept: Kept) -> Iterator[str]:
    yield f"{kept.name}: {kept.told}"
    with suppress(FileNotFoundError):
        yield from (f"    {line}" for line in kept.log.read_text(errors="replace").splitlines()[-_LINES:])
