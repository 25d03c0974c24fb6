"""A case in which a consent lets one party read one value, until it is withdrawn."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from schemas.identity import Role
from tests import http_side, speech
from tests.http_side import HttpSide
from tests.reader import Reader


@dataclass
class Consented:
    """A case in which a consent lets vink read the plan of a measure."""

    side: HttpSide
    case: str
    given: dict[str, Any]
    plan: str

    def question(self) -> tuple[str, str]:
        """The path of the plan, and vink's token."""
        return f"/vault/{self.plan.removeprefix('vault:')}", self.side.token("vink", Role.RECEIVE, actor=uuid4())

    def reader(self, side: HttpSide | None = None) -> Reader:
        """vink, about to read it."""
        asked = side or self.side
        return Reader(asked.application, *self.question())

    async def read(self) -> Reader:
        """Read with nothing in the way."""
        reader = self.reader()
        reader.open.set()
        await reader.read()
        return reader

    async def withdraw(self) -> "Withdrawal":
        """Let sof say it, without waiting for the verdict."""
        saying = speech.say("sof", "consent-recorded", self.case, **{**self.given, "state": "withdrawn"})
        answer = await http_side.say(self.side.party("sof"), saying, wait=None)
        assert answer.status_code == 202
        return Withdrawal(self.side, saying.id)


@dataclass
class Withdrawal:
    """The event, and what its publisher is told of it."""

    side: HttpSide
    id: str

    async def told(self) -> bool:
        """Whether its verdict can be had."""
        answer = await self.side.party("sof").get(f"/events/{self.id}")
        return answer.status_code == 200 and answer.json()["verdict"] == "accepted"

    async def told_at(self) -> float:
        """When it could be had: the table is looked into all the time."""
        owner = await self.side.owner()
        while not await owner.fetchval("SELECT count(*) FROM gateway.verdicts WHERE id = $1", UUID(self.id)):  # noqa: ASYNC110 - it measures
            await asyncio.sleep(0)
        at = time.monotonic()
        await owner.close()
        return at


async def consented(side: HttpSide, plan: str = "a plan") -> Consented:
    """Let a case come so far."""
    concern = speech.concern("buf", str(uuid4()))
    case = concern.case or ""
    await http_side.tell(side, concern)
    screened = {"outcome": "coordinate", "owner": "sof", "grounds": speech.vault_ref()}
    await http_side.tell(side, speech.say("ku", "concern-screened", case, **screened))
    given: dict[str, Any] = {"consent": str(uuid4()), "scope": ["measure"], "recipients": ["vink"], "state": "given"}
    await http_side.tell(side, speech.say("sof", "consent-recorded", case, **given))
    measure = {"measure": str(uuid4()), "kind": "mentor", "provider": "vink", "plan": speech.vault_ref()}
    await http_side.tell(side, speech.say("sof", "measure-started", case, **measure), plan=plan)
    return Consented(side, case, given, measure["plan"])
