"""Owning a partition: fence, restore, find the place, then judge run after run.

The order makes zombies harmless. The transactional producer is started first, which ends whatever an older
owner left open and refuses all it may try later; only then are its last states and offset read.
A partition is claimed when it is assigned, not at its first record, so that ticks can run on quiet ones.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from schemas.contract import Contract, Contracts
from schemas.log_events import LogEvent
from schemas.outputs import marks
from schemas.records import Inbound
from schemas.rights import WORKER_GROUP, WORKER_TRANSACTIONS
from streams.batch import Batch, Dead, Outcome
from streams.packing import Packing
from streams.states import States, restore
from streams.step import Step, Ticking
from streams.transactions import Transactions

TICKED = 100  # cases of one transaction of a tick
BATCH = 2_000  # records of one transaction at most; a fetch, about 1,100, was 15 % faster whole than in parts of 500
MOMENT = 0.02  # seconds of judging; a transaction under way needs a dozen turns of the loop, within the broker's 10 s
LONG_ENOUGH = 0.5  # seconds of judging for one transaction: all other claims may be waiting for it, one after the other

log = structlog.get_logger()


class Claim:
    """One partition of one step, owned by this process until another one fences it."""

    def __init__(self, place: TopicPartition, step: Step, connection: Mapping[str, Any], judging: asyncio.Lock) -> None:
        """`judging`: held by the one claim of this process that judges."""
        self.place = place
        self.step = step
        self.position = 0
        self.moves = 0  # rises with all it does: transactions, looks at what is due, each step of its making
        self.epoch = 0  # of the lane that feeds it; changes with every assignment
        self.turn = asyncio.Lock()  # held by whatever writes: a run, a tick, the closing of files
        self._connection = connection
        self._judging = judging
        self._states = States()
        name = f"{WORKER_TRANSACTIONS}{step.name}.{place.topic}.{place.partition}"
        self._transactions = Transactions(name, connection)

    async def fence(self) -> None:
        """Become the only owner."""
        await self._transactions.start()
        self._moved()

    async def restore(self, contracts: Contracts) -> None:
        """Read the states that the last owner committed. Raises UnknownContractError."""
        if self.step.remembers:
            self._states = await restore(self._connection, self.place.partition, contracts, self._moved)

    def go_on_from(self, position: int) -> None:
        """Stand before this offset: all that comes earlier is judged."""
        self.position = position
        self._moved()

    async def release(self) -> None:
        """Stop writing, in order."""
        await self._transactions.stop()

    async def judge(self, records: tuple[ConsumerRecord, ...]) -> None:
        """Judge a run, transaction by transaction, as long as the claim is in force: the rest comes again.

        Raises what I/O raises: then the process must end.
        """
        epoch = self.epoch
        fresh = [record for record in records if record.offset >= self.position]
        while fresh and self.epoch == epoch:
            fresh = fresh[await self._judge(fresh[:BATCH], epoch) :]

    def any_due(self, now: str, contract: Contract) -> bool:
        """Whether the time has come for something in a case of this partition, this contract being in force."""
        return self._states.any_due(now, contract)

    async def tick(self, now: str, contract: Contract) -> bool:
        """Say what the time has come for in some cases, in a transaction of its own; tell whether more may be due.

        Raises what I/O raises.
        """
        if not isinstance(self.step, Ticking) or not (keys := self._states.due(now, TICKED)):
            return False
        outcome = self.step.tick(keys, self._states, now, contract)
        if outcome.outputs:
            await self._transactions.commit(self._transactions.pack(outcome.outputs), {}, WORKER_GROUP)
            self._states.keep(outcome.states)
        self._states.looked_at(keys, now, contract)
        self._moved()
        _tell(outcome.dead)
        return len(keys) == TICKED

    async def close_files(self, parties: Iterable[str]) -> None:
        """Have the files of this partition closed, and of the views of these parties. Raises what I/O raises."""
        packing = self._transactions.pack(marks(self.place.partition, parties))
        await self._transactions.commit(packing, {}, WORKER_GROUP)
        self._moved()

    def _moved(self) -> None:
        self.moves += 1

    async def _judge(self, run: Sequence[ConsumerRecord], epoch: int) -> int:
        """Judge a run, or as much of it as there is time for, in one transaction; return how many records that were."""
        packing = self._transactions.pack()
        async with self._judging:
            if self.epoch != epoch:  # revoked while it waited
                return 0
            judged, outcome = await self._pack_judged(run, packing, epoch)
        position = run[judged - 1].offset + 1
        await self._transactions.commit(packing, {self.place: position}, WORKER_GROUP)
        self._states.keep(outcome.states)
        self.go_on_from(position)
        _tell(outcome.dead)
        return judged

    async def _pack_judged(self, run: Sequence[ConsumerRecord], packing: Packing, epoch: int) -> tuple[int, Outcome]:
        """Pack what records lead to, letting the transactions of other claims go on meanwhile."""
        batch, judged = Batch(self._states), 0
        clock = asyncio.get_running_loop().time
        began = since = clock()
        for record in run:
            self.step.judge(batch, _inbound(record))
            packing.add(batch.drain())
            judged += 1
            if clock() - since > MOMENT:
                await asyncio.sleep(0)
                since = clock()
                if self.epoch != epoch or since - began > LONG_ENOUGH:
                    break
        outcome = batch.outcome()
        packing.add(outcome.outputs)
        return judged, outcome


def _tell(dead: Iterable[Dead]) -> None:
    for one in dead:
        log.error(
            LogEvent.EVENT_DEAD,
            step=one.step,
            topic=one.topic,
            partition=one.partition,
            offset=one.offset,
            error=one.error,
        )


def _inbound(record: ConsumerRecord) -> Inbound:
    return Inbound(record.topic, record.partition, record.offset, record.key, record.value, tuple(record.headers))
