"""Speaking over HTTP: deposits first, then the event, again under the same id until it is answered."""

import asyncio
import json
from typing import Any

import httpx

from schemas.attributes import JSON, STRUCTURED
from schemas.envelope import source_of, type_of
from tests.chaos.journal import INTERNAL_ERROR, Acknowledged, Journal
from tests.chaos.lives import Life
from tests.chaos.publisher import Order
from tests.speech import Saying

_LATER = frozenset({429, 502, 503, 504})
_PAUSE_SECONDS = 0.3
_ANSWER_WITHIN = 20.0
_WAITS_EVERY = 5  # of so many events one waits for its verdict


class UnexpectedAnswerError(Exception):
    """The gateway gave an answer that nothing in this run explains."""


class HttpVoice:
    """One party's requests: a case at a time in order, several cases side by side."""

    def __init__(self, order: Order, journal: Journal) -> None:
        self._order = order
        self._journal = journal
        self._said = 0

    async def speak(self) -> None:
        headers = {"Authorization": f"Bearer {self._order.token}"}
        async with httpx.AsyncClient(
            base_url=self._order.url, headers=headers, timeout=_ANSWER_WITHIN, trust_env=False
        ) as client:
            for block in self._order.blocks():
                async with asyncio.TaskGroup() as group:
                    for life in block:
                        group.create_task(self._tell(client, life, len(block) / self._order.rate))

    async def _tell(self, client: httpx.AsyncClient, life: Life, pause: float) -> None:
        for line in life:
            await self._deposit(client, line.saying)
            answer = await self._say(client, line.saying)
            refused = answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
            said = line.saying
            self._journal.acknowledged(Acknowledged(said.party, said.id, said.case, refused=refused))
            if not self._order.is_enough:
                await asyncio.sleep(pause)

    async def _deposit(self, client: httpx.AsyncClient, saying: Saying) -> None:
        for name, ref in saying.data.items():
            if isinstance(ref, str) and ref.startswith("vault:"):
                path = "/vault/" + ref.removeprefix("vault:")
                place = {"case": saying.case or "", "field": name}
                request = client.build_request(
                    "PUT", path, params=place, content=b'"of nobody"', headers={"Content-Type": JSON}
                )
                await self._answered(client, request, 201, 204)

    async def _say(self, client: httpx.AsyncClient, saying: Saying) -> httpx.Response:
        self._said += 1
        waits = {"Prefer": "wait=5"} if self._said % _WAITS_EVERY == 0 else {}
        headers = {"Content-Type": STRUCTURED, **waits}
        request = client.build_request("POST", "/events", content=json.dumps(_structured(saying)), headers=headers)
        return await self._answered(client, request, 200, 202, 422)

    async def _answered(self, client: httpx.AsyncClient, request: httpx.Request, *expected: int) -> httpx.Response:
        """Send until it is answered with anything but "later"."""
        while True:
            try:
                answer = await client.send(request)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in expected:
                return answer
            if answer is not None and answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
                self._journal.note(INTERNAL_ERROR)
            elif answer is not None and answer.status_code not in _LATER:
                raise UnexpectedAnswerError(answer.status_code, answer.text)
            await asyncio.sleep(_PAUSE_SECONDS)


def _structured(saying: Saying) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": saying.id,
        "source": source_of(saying.party),
        "type": type_of(saying.type),
        **({"subject": saying.case} if saying.case else {}),
        "time": saying.time,
        "datacontenttype": JSON,
        "data": saying.data,
    }
