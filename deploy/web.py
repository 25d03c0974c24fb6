"""The process `web`: opens what the HTTP side needs, composes it, serves it until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path

import asyncpg
import httpx
import structlog
import uvicorn
from starlette.types import ASGIApp

from consumers import overview_routes, vault_routes, views_routes
from consumers.case_ends import CaseEnds
from consumers.case_keys import CaseKeys
from consumers.overview_feed import OverviewFeed
from consumers.vault import Vault
from consumers.views_feed import ViewsFeed
from deploy import clients, garbage, http_app, vault_key
from deploy.bus_time import BusTime
from deploy.clock import Clock, EventsClock, WallClock
from deploy.http_connection import Connection
from deploy.http_front import HttpMetrics
from deploy.kafka_access import KafkaAccess
from deploy.oidc import ALGORITHMS, IssuerKeys, spellings
from deploy.readiness import Readiness, positions_of
from deploy.settings import Settings
from deploy.sign_in import guarding, signed_in
from deploy.tokens import AUDIENCE, LocalIssuer, Trust, Verifier
from producers import deposits, gateway
from producers.inbox import AcknowledgedSender
from producers.verdict_desk import VerdictDesk
from schemas.contract import Contracts
from schemas.log_events import LogEvent

NEWEST_RECORDED = (files("producers") / "sql" / "newest_recorded.sql").read_text()
SERVICE = "web"
_STOP_WITHIN = 3  # seconds for answers under way; streams and long polls end then

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waits:
    """How long requests may wait, in seconds: for a verdict, for a view, for the read model."""

    verdict: float = 30.0
    view: float = 30.0
    vault: float = 2.0


@dataclass(frozen=True, slots=True)
class WebSetup:
    """What the process is given. `dsns` by PostgreSQL role; `oidc_issuer` replaces the local issuer."""

    contracts: Contracts
    follows_events: bool
    gateway_kafka: KafkaAccess
    vault_kafka: KafkaAccess
    dsns: dict[str, str] = field(repr=False)
    issuer_directory: Path
    vault_keys: Path
    vault_key_command: str | None = None
    oidc_issuer: str | None = None
    oidc_audience: str = AUDIENCE
    waits: Waits = field(default_factory=Waits)


def setup_of(settings: Settings, contracts: Contracts) -> WebSetup:
    """Return what the settings give this process: its own principals and roles, no others."""
    return WebSetup(
        contracts=contracts,
        follows_events=settings.clock == "events",
        gateway_kafka=settings.kafka("gateway"),
        vault_kafka=settings.kafka("vault"),
        dsns={role: settings.dsn(role) for role in ("gateway", "vault", "overview")},
        issuer_directory=settings.issuer_folder,
        vault_keys=settings.vault_key_file,
        vault_key_command=settings.vault_key_command,
        oidc_issuer=None if settings.oidc_issuer is None else str(settings.oidc_issuer),
        oidc_audience=settings.oidc_audience,
        waits=Waits(settings.verdict_wait, settings.views_wait, settings.vault_wait),
    )


@asynccontextmanager
async def opened(setup: WebSetup) -> AsyncIterator[ASGIApp]:
    """Open everything and give the application; close it all in the end."""
    async with AsyncExitStack() as stack:
        pool = await _pool(stack, setup.dsns["gateway"])
        vault_pool = await _pool(stack, setup.dsns["vault"])
        time = BusTime(setup.contracts, _clock(setup), partial(pool.fetchval, NEWEST_RECORDED))
        desk = VerdictDesk(pool, partial(clients.connection, setup.dsns["gateway"]))
        overview = OverviewFeed(partial(clients.connection, setup.dsns["overview"]))
        ends = await stack.enter_async_context(CaseEnds(partial(clients.consumer, setup.vault_kafka)))
        metrics = HttpMetrics()
        verifier = await _verifier(stack, setup)
        guard = guarding(verifier)
        doorway = gateway.Gateway(
            time.admission,
            await _sender(stack, setup.gateway_kafka),
            deposits.lookup(pool),
            desk,
            metrics.said,
            setup.waits.verdict,
        )
        vault = Vault(
            vault_pool,
            CaseKeys(vault_key.ensured(setup.vault_keys, setup.vault_key_command)),
            await _sender(stack, setup.vault_kafka),
            ends,
            time.in_force,
            setup.waits.vault,
        )
        feed = await stack.enter_async_context(ViewsFeed(partial(clients.consumer, setup.gateway_kafka)))
        parties = {party.id: party.da for party in setup.contracts.parties.values()}
        routers = (
            gateway.router(doorway, guard),
            vault_routes.router(vault, guard, partial(ref_fields, setup.contracts)),
            views_routes.router(feed, guard, setup.waits.view),
            overview_routes.router(overview, partial(signed_in, verifier), time.now, parties),
        )
        await _in_background(stack, desk.run(), overview.run())
        yield http_app.compose(routers, Readiness(positions_of(pool), ends.all), metrics)


def ref_fields(contracts: Contracts) -> frozenset[str]:
    """Return the fields that hold references, in any contract: what may be deposited for."""
    return frozenset(
        name
        for contract in contracts.all
        for type_ in contract.types.values()
        for name, found in type_.fields.items()
        if found.is_ref
    )


def _clock(setup: WebSetup) -> Clock:
    return EventsClock(setup.contracts) if setup.follows_events else WallClock()


async def _pool(stack: AsyncExitStack, dsn: str) -> asyncpg.Pool:
    pool = await clients.pool(dsn)
    stack.push_async_callback(pool.close)
    return pool


async def _sender(stack: AsyncExitStack, access: KafkaAccess) -> AcknowledgedSender:
    return await stack.enter_async_context(AcknowledgedSender(partial(clients.producer, access)))


async def _verifier(stack: AsyncExitStack, setup: WebSetup) -> Verifier:
    parties = frozenset(setup.contracts.parties)
    if setup.oidc_issuer is None:
        local = LocalIssuer(setup.issuer_directory)
        return Verifier(local.trust(parties), local)
    client = await stack.enter_async_context(httpx.AsyncClient())
    trust = Trust(spellings(setup.oidc_issuer), setup.oidc_audience, ALGORITHMS, parties)
    return Verifier(trust, IssuerKeys(setup.oidc_issuer, client))


async def _in_background(stack: AsyncExitStack, *runs: "asyncio._CoroutineLike[None]") -> None:
    tasks = [asyncio.create_task(run) for run in runs]

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(stop)


class Server(uvicorn.Server):
    """Stops when told to and returns; the stock one then raises the signal again, and nothing is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to our handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        log.info(LogEvent.SERVICE_STARTED, service=SERVICE)


def server_of(application: ASGIApp, host: str, port: int) -> Server:
    """Return what serves an application over HTTP."""
    config = uvicorn.Config(
        application,
        http=Connection,
        host=host,
        port=port,
        access_log=False,  # its lines hold query strings
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN,
    )
    return Server(config)


async def serve(setup: WebSetup, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    async with opened(setup) as application:
        garbage.pass_over_the_old()
        server = server_of(application, host, port)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
        await server.serve()
    log.info(LogEvent.SERVICE_STOPPED, service=SERVICE)


def run(settings: Settings, contracts: Contracts) -> None:
    """Run the process with these settings, until it is told to stop."""
    host, port = settings.http_address
    asyncio.run(serve(setup_of(settings, contracts), host, port))
