"""The vault: takes deposits, and gives a value to whom it was released, after the receipt is written.

A read must not be decided on an old picture of the case: it takes the end of the case's partition as
committed, waits until the read model is there, and only then asks `may_read`. From then on until the value has
left it has the case pinned, so that no verdict on the case is told in between. (That is also why the committed end is
enough: whatever was told before stands in the read model already.) Whatever the answer, it leaves a receipt, which
the broker acknowledges before a byte leaves. A reference that nobody deposited goes the same way, so that it looks
like one that is not released.

Values are sealed with a key of their case (case_keys), so that a case can be erased wherever a copy of it lies.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from consumers.case_keys import CaseKeys
from consumers.case_pins import Turns, pinned
from consumers.vault_cipher import Sealed, UnopenableError, sealed, unsealed
from schemas import state, topics
from schemas.canonical import canonical
from schemas.case import Case
from schemas.contract import Contract
from schemas.errors import SamspilError
from schemas.identity import Identity
from schemas.may_read import Deposit, Reading, Refused, may_read
from schemas.records import Outbound
from schemas.views import Receipt

_SQL = files(__package__) / "sql"
LIMIT_WAIT = (_SQL / "vault_limit_wait.sql").read_text()
DEPOSIT = (_SQL / "vault_deposit.sql").read_text()
LOCK_CASE = (_SQL / "vault_lock_case.sql").read_text()
IS_ERASED = (_SQL / "vault_is_erased.sql").read_text()
FIND = (_SQL / "vault_find.sql").read_text()
POSITION = (_SQL / "vault_position.sql").read_text()
CASE = (_SQL / "vault_case.sql").read_text()

READ_MODEL = "case_states"  # the projection whose position a read waits for
_LOOK_AGAIN = 0.02
LOCKED_WITHIN = "2s"  # that a deposit waits for its case, while that is erased or looked at

VAULT_PREFIX = "vault:"
NOT_RELEASED = Refused("not_released")  # also what is not there: the two must look alike
Send = Callable[[Outbound], Awaitable[int]]
CommittedEnd = Callable[[int], Awaitable[int]]
InForce = Callable[[], Awaitable[tuple[datetime, Contract]]]


class StaleReadModelError(SamspilError):
    """The read model has not caught up with the case; try again later."""


class CaseBusyError(SamspilError):
    """The case is being changed; try again later."""


class ErasedError(SamspilError):
    """The case was erased; nothing is kept for it."""


class TakenError(SamspilError):
    """This reference holds another deposit."""


@dataclass(frozen=True, slots=True)
class Value:
    """What leaves the vault."""

    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vault:
    """Deposits and reads, over the vault's own PostgreSQL role and Kafka principal."""

    pool: asyncpg.Pool
    keys: CaseKeys
    send: Send  # to the ledger, acknowledged
    committed_end: CommittedEnd  # of a partition of the cases topic
    in_force: InForce  # the bus's time, and the contract of that time
    patience: float = 2.0  # seconds that a read waits for the read model
    turns: Turns = field(default_factory=Turns)

    async def deposit(self, deposit: Deposit, value: Value) -> bool:
        """Keep a value; True where it is new.

        Raises TakenError where the reference holds anything else, ErasedError where the case was erased, CaseBusyError,
        KeyUnavailableError, UnopenableError.
        """
        now, _ = await self.in_force()
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await connection.execute(LIMIT_WAIT, LOCKED_WITHIN)
                await connection.execute(LOCK_CASE, deposit.case)
                if await connection.fetchval(IS_ERASED, deposit.case):
                    raise ErasedError
                return await self._kept(connection, deposit, value, now)
        except asyncpg.LockNotAvailableError:
            raise CaseBusyError from None

    @asynccontextmanager
    async def read(self, ref: UUID, reader: Identity) -> AsyncIterator[Value | Refused]:
        """Give a value while it may leave, or why not.

        Raises StaleReadModelError, NotPinnedError, BusyError, UnopenableError, KeyUnavailableError.
        """
        found = await self._found(ref)
        deposit = None if found is None else found[0]
        # A reference that is not there waits for some partition too: its answer takes as long as another's.
        key = (str(ref) if deposit is None else deposit.case).encode()
        await self._caught_up(key)
        time, contract = await self.in_force()
        async with pinned(self.pool, key, self.turns.of(reader.party)) as pin:
            answer = await _asked(pin.connection, contract, deposit, reader.party, time)
            value = None
            if found is not None and isinstance(answer, Reading):
                value = await self._opened(pin.connection, *found)
            await self._receipted(receipt_of(deposit, reader, answer, time.isoformat(), contract.digest))
            await pin.require()
            yield answer if isinstance(answer, Refused) else value or NOT_RELEASED

    async def _caught_up(self, key: bytes) -> None:
        partition = topics.partition_of(key)
        end = await self.committed_end(partition)
        try:
            async with asyncio.timeout(self.patience):
                while await self._position(partition) < end:  # noqa: ASYNC110 - the position is in the database
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            raise StaleReadModelError from None

    async def _position(self, partition: int) -> int:
        return await self.pool.fetchval(POSITION, READ_MODEL, topics.CASES, partition) or 0

    async def _receipted(self, receipt: Receipt) -> None:
        key = receipt.subject or receipt.recipient
        await self.send(Outbound(topics.LEDGER, topics.VAULT_PARTITION, key.encode(), receipt.value()))

    async def _found(self, ref: UUID) -> tuple[Deposit, Sealed] | None:
        return _deposited(await self.pool.fetchrow(FIND, ref))

    async def _opened(self, connection: Any, deposit: Deposit, kept: Sealed) -> Value:
        key = await self.keys.of(connection, deposit.case)
        if key is None:
            raise UnopenableError
        return Value(kept.content_type, unsealed(key, deposit, kept))

    async def _kept(self, connection: Any, deposit: Deposit, value: Value, now: datetime) -> bool:
        ref, bound = _uuid(deposit.ref), (deposit.party, deposit.case, deposit.field)
        key = await self.keys.ensured(connection, deposit.case)
        made = sealed(key, deposit, value.content_type, value.body)
        if await connection.fetchval(DEPOSIT, ref, *bound, made.content_type, made.nonce, made.text, now):
            return True
        found = _deposited(await connection.fetchrow(FIND, ref))
        if found is None or found[0] != deposit or not _same(unsealed(key, *found), value.body):
            raise TakenError
        return False


def _deposited(row: Any) -> tuple[Deposit, Sealed] | None:
    if row is None:
        return None
    deposit = Deposit(VAULT_PREFIX + str(row["ref"]), row["party"], row["case"], row["field"])
    return deposit, Sealed(row["content_type"], row["nonce"], row["sealed"])


def _same(one: bytes, other: bytes) -> bool:
    # Written in two ways, with other spaces or in another order, it is one value.
    return canonical(orjson.loads(one)) == canonical(orjson.loads(other))


async def _asked(
    connection: Any, contract: Contract, deposit: Deposit | None, party: str, now: datetime
) -> Reading | Refused:
    raw = None if deposit is None else await connection.fetchval(CASE, deposit.case)
    case = None if raw is None else state.decode(bytes(raw))
    if deposit is None or not isinstance(case, Case):
        return NOT_RELEASED
    return may_read(contract, case, deposit, party, now)


def receipt_of(
    deposit: Deposit | None, reader: Identity, answer: Reading | Refused, time: str, contract: str
) -> Receipt:
    """Return the receipt of a read: whoever was let in by which rules, or was not."""
    return Receipt(
        actor=reader.actor,
        contract=contract,
        event=answer.events[0] if isinstance(answer, Reading) and answer.events else None,
        failed=dict(answer.failed) if isinstance(answer, Refused) else {},
        fields=(),
        outcome="read" if isinstance(answer, Reading) else "read_refused",
        recipient=reader.party,
        refs=() if deposit is None else (deposit.field,),
        rules=answer.rules if isinstance(answer, Reading) else (),
        subject=None if deposit is None else deposit.case,
        time=time,
        view_digest=None,
    )


def _uuid(ref: str) -> UUID:
    return UUID(ref.removeprefix(VAULT_PREFIX))
