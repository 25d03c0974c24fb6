"""Who may see the overview: the bearer of a token with the role, or a browser that holds one in a cookie.

The cookie is the token itself, out of reach of scripts and of other sites, and good for reading the overview
alone: no other route looks at it, so a page elsewhere cannot make a browser say or change anything.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from schemas.identity import Identity, Role
from schemas.overview_facts import OVERSEER
from schemas.problems import Kind, Problem, ProblemError

COOKIE = "samspil_overview"
SignIn = Callable[[str | None], Awaitable[Identity]]  # raises ProblemError


class Sessions:
    """Tells whether a request may see the overview. `sign_in` says who a token speaks for."""

    def __init__(self, sign_in: SignIn) -> None:
        """Take the one who knows tokens."""
        self._sign_in = sign_in

    async def check(self, token: str | None) -> Identity:
        """Return whose token this is. Raises ProblemError where it does not open the overview."""
        identity = await self._sign_in(token)
        if identity.party != OVERSEER or Role.OVERVIEW not in identity.roles:
            raise ProblemError(Problem(Kind.NOT_PERMITTED, "The overview is the coordination unit's."))
        return identity

    @staticmethod
    def token(request: Request) -> str | None:
        """Return the token that a request carries: the header's, else the cookie's."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return given.strip()
        return request.cookies.get(COOKIE)

    @staticmethod
    def begin(response: Response, token: str, *, secure: bool) -> None:
        """Keep the token in the browser until it is closed."""
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")

    @staticmethod
    def end(response: Response) -> None:
        """Forget it."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
