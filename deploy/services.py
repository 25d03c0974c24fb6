"""From the settings to what each service's process is given."""

import asyncio
from collections.abc import Callable, Mapping

from aiokafka.errors import KafkaError

from deploy import logs, topics_admin
from deploy.settings import Settings
from schemas import topics
from schemas.contract import Contracts
from schemas.contract_files import load_all
from schemas.errors import UnreachableError

# Each service is imported by its own process alone: Faust in the web server, or the web server in the
# worker, would only cost start-up time and memory.


def run(name: str, settings: Settings) -> None:
    """Run this service until it is told to stop. Raises SamspilError when it cannot start."""
    logs.configure(name)
    contracts = load_all(settings.policies)
    try:
        _RUNNERS[name](settings, contracts)
    except KafkaError as error:
        raise UnreachableError(f"Kafka ({type(error).__name__}).") from None
    except ConnectionError as error:
        raise UnreachableError(f"Kafka or PostgreSQL ({type(error).__name__}).") from None


def _worker(settings: Settings, contracts: Contracts) -> None:
    from deploy import worker

    access = settings.kafka("worker")
    topics_admin.require_shape(access, topics.catalogue(contracts.parties), settings.replication)
    connection = access.aiokafka()

    async def serve() -> None:
        clock = await worker.bus_clock(settings.clock, contracts, connection)
        ready = settings.ready_file(settings.worker_name or "worker")
        steps, patience = worker.steps(contracts, clock), settings.worker_patience
        await worker.serve(connection, contracts, steps, ready, settings.worker_name, patience)

    asyncio.run(serve())


def _projector(settings: Settings, contracts: Contracts) -> None:
    from deploy import projector

    ready = settings.ready_file("projector")
    access, dsn = settings.kafka("projector"), settings.dsn("projector")
    asyncio.run(projector.serve(access, dsn, contracts, ready, follows_events=settings.clock == "events"))


def _web(settings: Settings, contracts: Contracts) -> None:
    from deploy import web

    web.run(settings, contracts)


_RUNNERS: Mapping[str, Callable[[Settings, Contracts], None]] = {
    "worker": _worker,
    "projector": _projector,
    "web": _web,
}
NAMES = tuple(_RUNNERS)
