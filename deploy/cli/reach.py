"""How commands reach a running bus: a party's voice over HTTP, a principal's ear on Kafka."""

import asyncio
import logging
import re
from collections.abc import Coroutine
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import httpx
import typer
from aiokafka.errors import KafkaConnectionError, KafkaError

from consumers.kept_records import OpenConsumer
from deploy import clients, tokens
from deploy.cli.files import contracts
from deploy.embedded.home import Home
from deploy.settings import Settings, load
from schemas.errors import UnreachableError, UsageError
from schemas.identity import Role

_BEARER = r"[A-Za-z0-9._~+/-]+=*"  # b64token of RFC 6750

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


def bearer(given: str) -> str:
    """Return a token as it came from a file or a variable, without the white space around it. Raises UsageError."""
    text = given.strip()
    if not re.fullmatch(_BEARER, text):
        raise UsageError("--token or SAMSPIL_TOKEN is no bearer token: letters, digits and -._~+/ only, = at its end.")
    return text


def require_gateway(settings: Settings) -> None:
    """Find out at once that nothing listens; later on a publisher is patient. Raises UnreachableError."""
    try:
        httpx.get(settings.base_url + "/healthz", timeout=5)
    except httpx.TransportError:
        raise UnreachableError(f"nothing answers at {_place(settings)}.") from None


def _place(settings: Settings) -> str:
    """Name an address without what it may hold besides: a name and a password."""
    if settings.url:
        return "SAMSPIL_URL"
    address = urlsplit(settings.base_url)
    return f"{address.hostname}:{address.port}: start samspil up"


def ear(settings: Settings, principal: str) -> OpenConsumer:
    """Return what opens Kafka clients with a principal's own login."""
    return partial(clients.consumer, settings.kafka(principal))


def run(work: Coroutine[None, None, Result]) -> Result:
    """Run asynchronous work. Raises UnreachableError where Kafka does not answer or does not let us in."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its warnings say what the one line below says
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except KafkaConnectionError:
        place = "SAMSPIL_KAFKA_BOOTSTRAP" if load().kafka_bootstrap else "Kafka's address: start samspil up"
        raise UnreachableError(f"nothing answers at {place}.") from None
    except KafkaError as error:
        raise UnreachableError(f"Kafka ({type(error).__name__}).") from None
