"""Whether all that was said is judged, asked of a broker whose worker is away: then something always waits."""

from aiokafka import AIOKafkaProducer

from consumers.runner import started
from deploy.judged import Judged
from schemas import topics
from tests.brokers import RunningKafka


async def test_what_nobody_has_judged_is_noticed_wherever_it_waits(kafka: RunningKafka) -> None:
    kafka.reset()
    access, judged = kafka.access().aiokafka(), Judged(kafka.access("projector"), ["buf", "ku"], patience=1)
    assert await judged()
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
