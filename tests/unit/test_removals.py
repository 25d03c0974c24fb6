"""When the vault is looked through: once in each hour of the bus's clock, and again until it could be."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from consumers.vault_removal import VaultRemoval
from deploy.removals import Removals
from schemas.contract import Contract
from tests.unit.scenarios import contract

NOON = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)


class Vault:
    """Takes note of when it was looked through; can be behind."""

    def __init__(self) -> None:
        self.looks: list[datetime] = []
        self.behind = False

    async def run(self, now: datetime, _: Contract) -> int | None:
        self.looks.append(now)
        return None if self.behind else 0


async def test_once_an_hour_of_the_bus_s_clock_and_at_once_when_it_leaps() -> None:
    vault, times = Vault(), iter(NOON + timedelta(minutes=m) for m in (0, 10, 39, 41, 50, 60 * 24 * 30))

    async def in_force() -> tuple[datetime, Contract]:
        return next(times), contract()

    removals, done = Removals(cast("VaultRemoval", vault), in_force), cast("Any", None)
    for _ in range(6):
        done = await removals.look(done)
    bus = sorted({look.replace(minute=0) for look in vault.looks})
    assert [hour.hour for hour in bus] == [12, 13, 12]
    assert len(vault.looks) <= 4  # one more where the wall's hour ended meanwhile


async def test_what_could_not_be_done_is_tried_again() -> None:
    vault = Vault()

    async def in_force() -> tuple[datetime, Contract]:
        return NOON, contract()

    removals = Removals(cast("VaultRemoval", vault), in_force)
    vault.behind = True
    assert await removals.look(None) is None
    vault.behind = False
    assert await removals.look(None) is not None
    assert vault.looks == [NOON, NOON]
