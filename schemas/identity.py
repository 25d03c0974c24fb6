"""Who speaks: a party with its roles, and for reads of the vault the member of staff behind it.

Some roles belong to some parties alone. The rule stands here, so that it holds both where a token is made
and where one is taken, whoever issued it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from schemas.errors import NotPermittedError


class Role(StrEnum):
    """What a token allows over HTTP."""

    PUBLISH = "publish"  # say events and deposit values
    RECEIVE = "receive"  # receive views and read what they refer to
    OVERVIEW = "overview"  # see the coordination unit's overview
    AUDIT = "audit"  # read receipts
    DPO = "dpo"  # what the data protection officer alone may do


RESERVED: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.OVERVIEW: frozenset({"ku"}),
        Role.AUDIT: frozenset({"revision", "dpo"}),
        Role.DPO: frozenset({"dpo"}),
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A party and what it may do. `actor`: the pseudonym (a UUID) of the person who asks, where known."""

    party: str
    roles: frozenset[Role]
    actor: str | None = None


def check_roles(party: str, roles: Iterable[Role]) -> None:
    """Hold roles against who may have them. Raises NotPermittedError, naming the role."""
    for role in sorted(roles):
        if party not in RESERVED.get(role, {party}):
            raise NotPermittedError(f"{role} is not a role of this party")
