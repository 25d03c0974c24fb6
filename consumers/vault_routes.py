"""The vault over HTTP: PUT a value for a case and a field, GET one that was released to you.

Read, "refused" and "not there" are the same answer, so that nobody learns by reading which references exist.
Only a party that was once shown the reference is told which gate stands in its way. Depositing does tell: the
409 says that the reference is taken, to whoever already knows or guesses a random UUID, and nothing else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from consumers.case_keys import KeyUnavailableError
from consumers.case_pins import NotPinnedError
from consumers.request_body import bounded
from consumers.vault import VAULT_PREFIX, CaseBusyError, ErasedError, StaleReadModelError, TakenError, Value, Vault
from consumers.vault_answer import ValueAnswer
from consumers.vault_cipher import UnopenableError
from schemas import strict_json
from schemas.attributes import JSON, media_type
from schemas.errors import BusyError, MalformedError, UnreachableError
from schemas.identity import Identity, Role
from schemas.log_events import LogEvent
from schemas.may_read import Deposit, Refused
from schemas.problem_document import problem
from schemas.problems import Kind, Problem, ProblemError, unavailable
from schemas.vocabulary import CASE_ID

MOST_VALUE = 256 * 1024

log = structlog.get_logger()

Guard = Callable[[Role], Callable[..., Awaitable[Identity]]]
RefFields = Callable[[], frozenset[str]]

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Any JSON value, at most 256 KiB.",
        "content": {JSON: {"schema": {}, "example": {"name": "Testperson B"}}},
    }
}
_DEPOSIT_RESPONSES: dict[int | str, dict[str, Any]] = {
    201: {"description": "Deposited."},
    204: {"description": "Deposited before: the same party, case, field and value."},
    409: problem("The reference holds another deposit; deposits are never changed."),
    410: problem("The case was erased: nothing is kept for it."),
    413: problem("More than 256 KiB."),
    415: problem("Not application/json."),
    503: problem("Not now; deposit it again under the same reference."),
}
_READ_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The value, as it was deposited.", "content": {JSON: {"schema": {}}}},
    403: problem("Not released to you, or not there: the same answer."),
    503: problem("Not now: the case changes, its state is not there yet, or no receipt can be written or key used."),
}


def router(vault: Vault, guard: Guard, ref_fields: RefFields) -> APIRouter:
    """Return the vault's routes. `ref_fields`: the fields of the catalogue that hold references."""
    routes = APIRouter(tags=["vault"])
    depositor, receiver = guard(Role.PUBLISH), guard(Role.RECEIVE)
    ref_path = Path(alias="uuid", description="The reference, without `vault:`; you choose a random UUID.")

    @routes.put(
        "/vault/{uuid}",
        status_code=201,
        response_class=Response,
        responses=_DEPOSIT_RESPONSES,
        openapi_extra=_BODY,
    )
    async def deposit_value(
        request: Request,
        ref: Annotated[UUID, ref_path],
        case: Annotated[str, Query(description="The case, a random UUID (version 4).", pattern=CASE_ID)],
        field: Annotated[str, Query(description="The field of the event that will refer to it.")],
        identity: Annotated[Identity, Depends(depositor)],
    ) -> Response:
        """Deposit a value for one field of one case. The same deposit again is no error."""
        if field not in ref_fields():
            raise ProblemError(
                Problem(
                    Kind.INVALID_REQUEST,
                    "No field of the catalogue holds references by that name.",
                    {"paths": ["/query/field"]},
                )
            )
        value = await _value(request)
        deposit = Deposit(VAULT_PREFIX + str(ref), identity.party, case, field)
        try:
            new = await vault.deposit(deposit, value)
        except TakenError:
            raise ProblemError(Problem(Kind.CONFLICT)) from None
        except ErasedError:
            raise ProblemError(Problem(Kind.ERASED_CASE)) from None
        except CaseBusyError:
            raise unavailable("The case is being changed.") from None
        except (KeyUnavailableError, UnopenableError) as error:
            raise _locked(error) from None
        return Response(status_code=201 if new else 204)

    @routes.get("/vault/{uuid}", response_class=Response, responses=_READ_RESPONSES)
    async def read_value(ref: Annotated[UUID, ref_path], identity: Annotated[Identity, Depends(receiver)]) -> Response:
        """Read a value that was released to you. Every attempt leaves a receipt with your token's actor."""
        if identity.actor is None:
            raise ProblemError(Problem(Kind.NOT_PERMITTED, "Reading needs a token with an actor claim."))
        return ValueAnswer(_reading(vault, ref, identity))

    return routes


def _not_released(refused: Refused) -> Problem:
    return Problem(Kind.NOT_RELEASED, members={"reason": refused.reason})


@asynccontextmanager
async def _reading(vault: Vault, ref: UUID, identity: Identity) -> AsyncIterator[Value]:
    try:
        async with vault.read(ref, identity) as answer:
            if isinstance(answer, Refused):
                raise ProblemError(_not_released(answer))
            yield answer
    except StaleReadModelError:
        raise unavailable("The read model has not caught up with the case.") from None
    except NotPinnedError:
        raise unavailable("The case changes, or the value could not leave in time.") from None
    except (BusyError, UnreachableError):
        raise unavailable("The receipt cannot be written now.") from None
    except (KeyUnavailableError, UnopenableError) as error:
        raise _locked(error) from None


def _locked(error: KeyUnavailableError | UnopenableError) -> ProblemError:
    """Tell the operator, who alone can mend it; to who asks, a key that is away may come back."""
    log.error(LogEvent.VAULT_LOCKED, error=type(error).__name__)
    if isinstance(error, KeyUnavailableError):
        return unavailable("The vault's keys cannot be used now.")
    return ProblemError(Problem(Kind.INTERNAL, "The deposit does not open."))


async def _value(request: Request) -> Value:
    if media_type(request.headers.get("content-type", "")) != JSON:
        raise ProblemError(Problem(Kind.UNSUPPORTED_MEDIA_TYPE, f"Send {JSON}."))
    body = await bounded(request, MOST_VALUE)
    try:
        strict_json.parse(body, MOST_VALUE)
    except MalformedError:
        raise ProblemError(Problem(Kind.INVALID_REQUEST, "The body is not one well-formed JSON value.")) from None
    return Value(JSON, body)
