"""From a request's Authorization header to an identity with a role, for the routers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from deploy.tokens import InvalidTokenError
from schemas.errors import UnreachableError
from schemas.identity import Identity, Role
from schemas.problems import Kind, Problem, ProblemError, unavailable

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="samspil"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="samspil", error="invalid_token"'}
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="`samspil token PARTY` makes one; an OIDC issuer's are taken where the bus is set so.",
)


class Verifies(Protocol):
    """Tells who a token speaks for."""

    async def verify(self, token: str) -> Identity:
        """Return the identity. Raises InvalidTokenError or UnreachableError."""


def guarding(verifier: Verifies) -> Callable[[Role], Callable[..., Awaitable[Identity]]]:
    """Return what makes a FastAPI dependency of a role: the identity, or 401, or 403."""

    def guard(role: Role) -> Callable[..., Awaitable[Identity]]:
        async def identity(
            given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        ) -> Identity:
            found = await signed_in(verifier, None if given is None else given.credentials)
            if role not in found.roles:
                raise ProblemError(Problem(Kind.NOT_PERMITTED, f"The role {role} is needed."))
            return found

        return identity

    return guard


async def signed_in(verifier: Verifies, token: str | None) -> Identity:
    """Return who a token speaks for. Raises ProblemError: 401, or 503 while the issuer's keys cannot be had."""
    if token is None:
        raise ProblemError(Problem(Kind.UNAUTHENTICATED), _CHALLENGE)
    try:
        return await verifier.verify(token)
    except InvalidTokenError:
        raise ProblemError(Problem(Kind.UNAUTHENTICATED), _INVALID) from None
    except UnreachableError:
        raise unavailable("The issuer of tokens cannot be reached.") from None
