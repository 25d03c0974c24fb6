"""How commands reach a running bus: a party's voice over HTTP, a principal's ear on Kafka."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Annotated, TypeVar

import httpx
import typer
from aiokafka.errors import KafkaError

from consumers.kept_records import OpenConsumer
from deploy import clients, tokens
from deploy.cli.files import contracts
from deploy.embedded.home import Home
from deploy.settings import Settings
from schemas.errors import UnreachableError, UsageError
from schemas.identity import Role

Result = TypeVar("Result")
As = Annotated[str, typer.Option("--as", metavar="PARTY", help="The party that you are, such as ku, sof or politi.")]


def require_party(party: str) -> str:
    """Return the party. Raises UsageError where the contract knows none of that name."""
    known = contracts().newest.parties
    if party not in known:
        raise UsageError(f"no such party; there are {', '.join(sorted(known))}.")
    return party


def token(settings: Settings, party: str) -> str:
    """Return a token of the local issuer with which a party may publish."""
    known = frozenset(contracts().newest.parties)
    Home(settings.home).ensure_for(settings.issuer_folder)
    return tokens.mint(settings.issuer_folder, party, [Role.PUBLISH], parties=known)


def require_gateway(settings: Settings) -> None:
    """Find out at once that nothing listens; later on a publisher is patient. Raises UnreachableError."""
    try:
        httpx.get(settings.base_url + "/healthz", timeout=5)
    except httpx.TransportError:
        raise UnreachableError(f"nothing answers at {settings.base_url}: start samspil up.") from None


def ear(settings: Settings, principal: str) -> OpenConsumer:
    """Return what opens Kafka clients with a principal's own login."""
    return partial(clients.consumer, settings.kafka(principal))


def run(work: Coroutine[None, None, Result]) -> Result:
    """Run asynchronous work. Raises UnreachableError where Kafka does not answer or does not let us in."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its warnings say what the one line below says
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except KafkaError as error:
        raise UnreachableError(f"Kafka ({type(error).__name__}).") from None
