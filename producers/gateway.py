"""The gateway: events over HTTP, as their publishers say them, into their inboxes.

It runs the same pure admission as ADMIT before anything is written, so that a value in a wrong field never
reaches Kafka over HTTP, and looks whether references were deposited, which ADMIT cannot. What passes is
rebuilt from its parsed parts; what does not is recorded on the publisher's refusals topic and answered at
once. "Accepted for judgement" is said after the broker's acknowledgement and never before.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse

from producers.event_requests import Submission, check_media_type, submission, wait_preferred
from producers.gateway_openapi import READ_RESPONSES, SAY, SAY_RESPONSES, VerdictBody
from producers.verdict_desk import VerdictDesk
from schemas import topics
from schemas.canonical import canonical
from schemas.contract import Contract
from schemas.envelope import Event, attributes, binary
from schemas.errors import BusyError
from schemas.identity import Identity, Role
from schemas.problems import Kind, Problem, ProblemError, refused, unavailable
from schemas.records import Headers, Outbound
from schemas.verdicts import Refusal, answer

VAULT_PREFIX = "vault:"

Judged = tuple[Contract, Event | Refusal]
Admission = Callable[[str, Headers, bytes | None], Awaitable[Judged]]
Send = Callable[[Outbound], Awaitable[int]]
Deposited = Callable[[str, str, list[UUID]], Awaitable[Mapping[UUID, str]]]
Guard = Callable[[Role], Callable[..., Awaitable[Identity]]]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the gateway needs: admission under the contract in force, a sender, deposits, verdicts, a count."""

    admission: Admission
    send: Send
    deposited: Deposited  # (party, case, references) -> reference: field
    verdicts: VerdictDesk
    count: Callable[[str], None]  # by verdict or reason code
    longest_wait: float  # seconds that `Prefer: wait` can ask for

    async def say(self, party: str, said: Submission) -> tuple[Event, int]:
        """Put an event into its publisher's inbox; return it with its offset. Raises ProblemError."""
        judged = await self._judged(party, said)
        if isinstance(judged, Refusal):
            await self._acknowledged(answer(party, judged, None))
            self.count(judged.reason)
            raise ProblemError(refused(judged))
        offset = await self._acknowledged(record_of(judged))
        self.count("pending")
        return judged, offset

    async def _judged(self, party: str, said: Submission) -> Event | Refusal:
        if said.value is None:
            return Refusal(None, "too_large", ("/data",))
        contract, judged = await self.admission(party, said.headers, said.value)
        if isinstance(judged, Refusal):
            return judged
        unknown = await self._unknown_refs(contract, judged)
        return Refusal(judged.id, "unknown_ref", unknown) if unknown else judged

    async def _unknown_refs(self, contract: Contract, event: Event) -> tuple[str, ...]:
        refs = references(contract, event)
        if not refs or event.case is None:
            return ()
        known = await self.deposited(event.party, event.case, list(refs.values()))
        return tuple(sorted(f"/data/{field}" for field, ref in refs.items() if known.get(ref) != field))

    async def _acknowledged(self, record: Outbound) -> int:
        try:
            return await self.send(record)
        except BusyError:
            raise unavailable("The bus does not take events now; send it again, under the same id.") from None


def references(contract: Contract, event: Event) -> dict[str, UUID]:
    """Return the vault references of an event by field."""
    fields = contract.types[event.type].fields
    return {name: UUID(value.removeprefix(VAULT_PREFIX)) for name, value in event.fields.items() if fields[name].is_ref}


def record_of(event: Event) -> Outbound:
    """Return an event's record in the inbox, rebuilt from its parsed parts."""
    return Outbound(
        topics.inbox(event.party), 0, event.key.encode(), canonical(event.fields), binary(attributes(event))
    )


def router(gateway: Gateway, guard: Guard) -> APIRouter:
    """Return the gateway's routes."""
    routes = APIRouter(tags=["events"])
    publisher = guard(Role.PUBLISH)

    @routes.post("/events", status_code=202, response_model=VerdictBody, responses=SAY_RESPONSES, openapi_extra=SAY)
    async def say_event(request: Request, identity: Annotated[Identity, Depends(publisher)]) -> Response:
        """Say one event, structured or binary. With `Prefer: wait=SECONDS` the answer is its verdict."""
        kind = check_media_type(request.headers.get("content-type"))
        said = await submission(request.headers.raw, kind, request.stream())
        event, offset = await gateway.say(identity.party, said)
        seconds = wait_preferred(request.headers.getlist("prefer"), gateway.longest_wait)
        if seconds is None:
            return _pending(event.id)
        verdict = await gateway.verdicts.wait(identity.party, UUID(event.id), offset, seconds)
        return _pending(event.id, seconds) if verdict is None else _told(verdict, seconds)

    @routes.get("/events/{id}", response_model=VerdictBody, responses=READ_RESPONSES)
    async def read_verdict(
        id_: Annotated[str, Path(alias="id", description="The id of an event that you said.")],
        identity: Annotated[Identity, Depends(publisher)],
    ) -> Response:
        """Return what became of an event of yours: its acceptance, which stands, or else the newest refusal."""
        event = uuid_or_none(id_)
        verdict = None if event is None else await gateway.verdicts.standing(identity.party, event)
        if verdict is None:
            raise ProblemError(Problem(Kind.NOT_FOUND, "No verdict on an event of yours with this id (yet)."))
        return JSONResponse(verdict)

    return routes


def uuid_or_none(text: str) -> UUID | None:
    """Return a UUID written canonically, in lower case."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text else None


def _pending(event: str, waited: float | None = None) -> Response:
    headers = {"Location": f"/events/{event}", **_applied(waited)}
    return JSONResponse({"id": event, "verdict": "pending"}, 202, headers)


def _told(verdict: dict[str, Any], waited: float) -> Response:
    if verdict["verdict"] == "refused":
        refusal = Refusal(verdict["id"], verdict["reason"], tuple(verdict["paths"]))
        raise ProblemError(refused(refusal), _applied(waited))
    return JSONResponse(verdict, 200, _applied(waited))


def _applied(waited: float | None) -> dict[str, str]:
    return {} if waited is None else {"Preference-Applied": f"wait={waited:.0f}"}
