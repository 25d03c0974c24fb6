"""Owning a partition: fence, restore, find the place, then judge run after run.

The order makes zombies harmless. The transactional producer is started first, which ends whatever an older
owner left open and refuses all it may try later; only then are its last states and offset read.
A partition is claimed when it is assigned, not at its first record, so that ticks can run on quiet ones.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from schemas.contract import Contracts
from schemas.log_events import LogEvent
from schemas.records import Inbound
from schemas.rights import WORKER_GROUP, WORKER_TRANSACTIONS
from streams.states import States, restore
from streams.step import Step
from streams.transactions import Transactions

BATCH = 500  # records of one transaction: some tens of milliseconds of judging beside one commit

log = structlog.get_logger()


class Claim:
    """One partition of one step, owned by this process until another one fences it."""

    def __init__(self, place: TopicPartition, step: Step, connection: Mapping[str, Any]) -> None:
        self.place = place
        self.step = step
        self.position = 0
        self.epoch = 0  # of the lane that feeds it; changes with every assignment
        self.turn = asyncio.Lock()  # held while a run is judged
        self._connection = connection
        self._states = States()
        name = f"{WORKER_TRANSACTIONS}{step.name}.{place.topic}.{place.partition}"
        self._transactions = Transactions(name, connection)

    async def fence(self) -> None:
        """Become the only owner."""
        await self._transactions.start()

    async def restore(self, contracts: Contracts) -> None:
        """Read the states that the last owner committed. Raises UnknownContractError."""
        if self.step.remembers:
            self._states = await restore(self._connection, self.place.partition, contracts)

    async def release(self) -> None:
        """Stop writing, in order."""
        await self._transactions.stop()

    async def judge(self, records: tuple[ConsumerRecord, ...]) -> None:
        """Judge a run, transaction by transaction. Raises what I/O raises: then the process must end."""
        fresh = [_inbound(record) for record in records if record.offset >= self.position]
        for start in range(0, len(fresh), BATCH):
            await self._judge(fresh[start : start + BATCH])

    async def _judge(self, run: list[Inbound]) -> None:
        outcome = self.step.judge(run, self._states)
        position = run[-1].offset + 1
        await self._transactions.commit(outcome.outputs, {self.place: position}, WORKER_GROUP)
        self._states.keep(outcome.states)
        self.position = position
        for dead in outcome.dead:
            log.error(
                LogEvent.EVENT_DEAD,
                step=dead.step,
                topic=dead.topic,
                partition=dead.partition,
                offset=dead.offset,
                error=dead.error,
            )


def _inbound(record: ConsumerRecord) -> Inbound:
    return Inbound(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))
