"""Errors over HTTP as data: problem details of RFC 9457.

A problem names a kind, a reason code and paths; it never repeats what was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from schemas.errors import SamspilError
from schemas.verdicts import Refusal

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:samspil:problem:"


class Kind(Enum):
    """The kinds of problem: the last part of `type`, the status, the title."""

    INVALID_REQUEST = ("invalid-request", 400, "The request is not well formed.")
    UNAUTHENTICATED = ("unauthenticated", 401, "A valid bearer token is needed.")
    NOT_PERMITTED = ("not-permitted", 403, "The token does not give this right.")
    NOT_RELEASED = ("not-released", 403, "This value is not released to you.")
    NOT_FOUND = ("not-found", 404, "There is nothing here for you.")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "This address does not take that method.")
    CONFLICT = ("conflict", 409, "Another deposit has this reference; deposits are never changed.")
    ERASED_CASE = ("erased-case", 410, "The case was erased: nothing is kept for it.")
    EXPIRED_CURSOR = ("expired-cursor", 410, "The views after this cursor are no longer kept.")
    TOO_LARGE = ("too-large", 413, "The body is too large.")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "This content type is not taken here.")
    REFUSED = ("refused", 422, "The event was refused.")
    INTERNAL = ("internal", 500, "Something went wrong here; it has been noted.")
    UNAVAILABLE = ("unavailable", 503, "This cannot be done now; try again later.")

    def __init__(self, code: str, status: int, title: str) -> None:
        """Name the parts."""
        self.code = code
        self.status = status
        self.title = title

    @property
    def uri(self) -> str:
        """The problem's type."""
        return TYPE_PREFIX + self.code


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `members` are extension members, such as a verdict's reason and paths."""

    kind: Kind
    detail: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None  # where it differs from the kind's

    @property
    def http_status(self) -> int:
        """The status that the answer carries."""
        return self.status or self.kind.status

    def body(self) -> dict[str, Any]:
        """Return the problem as JSON values."""
        detail = {} if self.detail is None else {"detail": self.detail}
        known = {"type": self.kind.uri, "title": self.kind.title, "status": self.http_status, **detail}
        return {**self.members, **known}


class ProblemError(SamspilError):
    """The request is answered with a problem:"""

    def __init__(self, problem: Problem, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """Keep the problem and the headers that go with it."""
        super().__init__(problem.kind.code)
        self.problem = problem
        self.headers = headers


def refused(refusal: Refusal) -> Problem:
    """Return the problem that tells a publisher its refusal; a body too large keeps its own status."""
    status = Kind.TOO_LARGE.status if refusal.reason == "too_large" else None
    return Problem(Kind.REFUSED, f"The reason is {refusal.reason}.", refusal.body(), status)


def unavailable(detail: str, retry_after: int = 1) -> ProblemError:
    """Return the error that says: not now, come again."""
    return ProblemError(Problem(Kind.UNAVAILABLE, detail), {"Retry-After": str(retry_after)})
