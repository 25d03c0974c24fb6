"""Whether all that was said is judged, asked of a broker whose worker is away: then something always waits."""

from aiokafka import AIOKafkaProducer

from consumers.runner import started
from deploy.judged import Judged
from schemas import topics
from schemas.errors import UnreachableError
from tests.brokers import RunningKafka
from tests.waiting import eventually


async def _answered(judged: Judged) -> bool:
    try:
        return await judged()
    except UnreachableError:  # a new broker makes its topic of groups when it is first asked for one
        return False


async def test_what_nobody_has_judged_is_noticed_wherever_it_waits(kafka: RunningKafka) -> None:
    kafka.reset()
    access, judged = kafka.access().aiokafka(), Judged(kafka.access("projector"), ["buf", "ku"], patience=1)
    await eventually(lambda: _answered(judged))
    async with started(AIOKafkaProducer(**access)) as producer:
        await producer.send_and_wait(topics.inbox("ku"), b"{}", b"a case", 0)
    assert not await judged()
    kafka.reset()
    async with started(AIOKafkaProducer(**access, transactional_id="samspil.test.judged")) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topics.ADMITTED, b"{}", b"a case", 3)
        assert not await judged()  # admitted, not judged
    kafka.reset()
    async with started(AIOKafkaProducer(**access, transactional_id="samspil.test.judged")) as producer:
        await producer.begin_transaction()
        await (await producer.send(topics.ADMITTED, b"{}", b"a case", 3))
        assert not await judged()  # being admitted
        await producer.abort_transaction()
