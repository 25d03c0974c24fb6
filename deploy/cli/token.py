"""`samspil token`: a bearer token from the local issuer."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from deploy import settings, tokens
from deploy.cli.console import answer, note
from deploy.cli.files import contracts
from deploy.embedded.home import Home
from schemas.errors import UsageError
from schemas.identity import RESERVED, Role

ORDINARY = (Role.PUBLISH, Role.RECEIVE)


def token(
    party: Annotated[str, typer.Argument(metavar="PARTY", help="The party that the token speaks for, such as ku.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="Role, several with commas: publish, receive, overview, audit, dpo. "
            "Unset: publish and receive, and those that are this party's alone."
        ),
    ] = None,
    actor: Annotated[
        UUID | None, typer.Option(help="Pseudonym (a UUID) of the member of staff who reads the vault.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="How long it is valid.")] = 12,
) -> None:
    """Print a bearer token of the local issuer, to sign in or to call the HTTP interface with.

    Whoever can read the issuer's key can make tokens: this is for the embedded default and for tests.
    """
    parties = frozenset(contracts().newest.parties)
    if party not in parties:
        raise UsageError(f"no such party; there are {', '.join(sorted(parties))}.")
    roles = _roles(role) if role else _usual(party)
    current = settings.load()
    folder = current.issuer_folder
    Home(current.home).ensure_for(folder)
    answer(tokens.mint(folder, party, roles, parties=parties, actor=actor, lifetime=timedelta(hours=hours)))
    note(f"Speaks for {party} as {', '.join(sorted(roles))}; valid for {hours:g} h.")


def _usual(party: str) -> list[Role]:
    return [*ORDINARY, *(role for role, whose in RESERVED.items() if party in whose)]


def _roles(given: list[str]) -> list[Role]:
    names = [name.strip() for part in given for name in part.split(",") if name.strip()]
    try:
        return [Role(name) for name in names]
    except ValueError:
        raise UsageError(f"a role is one of {', '.join(Role)}.") from None
