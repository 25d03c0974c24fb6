"""A whole bus of a run's own: broker, PostgreSQL, workers, projector, web process and publishers, all processes."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from deploy import database, tokens
from deploy.embedded import credentials, ports
from deploy.embedded.parts import FRESH_SECONDS, command
from deploy.embedded.ports import HOST
from deploy.embedded.processes import Children, Command
from deploy.settings import Settings
from schemas import rights
from schemas.identity import Role
from tests import brokers
from tests.brokers import RunningPostgres
from tests.chaos.broker import Broker
from tests.chaos.kept import Keeper, Kept
from tests.chaos.plan import WORKERS
from tests.chaos.publisher import Order
from tests.waiting import eventually_sync

ROOT = Path(__file__).parents[2]
KAFKA_PARTIES, HTTP_PARTY = ("sof", "ku"), "buf"
KAFKA_RATE, HTTP_RATE = 12.0, 4.0  # events a second
_READY_SECONDS = 90.0


@dataclass
class Installation:
    """What runs, and what a fault can reach of it."""

    home: Path
    seed: int
    broker: Broker
    postgres: RunningPostgres
    children: Children
    keeper: Keeper
    settings: Settings
    began: datetime
    workers: list[Kept] = field(default_factory=list)
    publishers: dict[str, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workers = [self._worker(f"worker-{n}") for n in range(1, max(WORKERS) + 1)]
        self.projector = self._service("projector")
        self.web = self._service("web")
        self.publishers = {party: self._publisher(party) for party in (*KAFKA_PARTIES, HTTP_PARTY)}

    @property
    def working(self) -> list[Kept]:
        """The workers that run, or are to run."""
        return [worker for worker in self.workers if worker.is_wanted]

    def journal(self, party: str) -> Path:
        return self.home / f"{party}.journal"

    @property
    def enough(self) -> Path:
        """The file that tells the publishers to come to an end."""
        return self.home / "enough"

    def scale(self, count: int) -> None:
        """Have so many workers. Those that go are stopped in order, and for good."""
        for worker in self.workers[:count]:
            if not worker.is_wanted:
                worker.start()
        gone = [worker for worker in self.workers[count:] if worker.is_wanted]
        with ThreadPoolExecutor(len(self.workers)) as pool:
            for _ in pool.map(Kept.retire, gone):
                pass  # raises what a stop raised

    def start(self) -> None:
        """Start the services, wait until they serve, then let the publishers speak."""
        self.workers[0].start()
        self.projector.start()
        self.web.start()
        eventually_sync(lambda: self.is_ready(self.workers[0]) and self._answers(), _READY_SECONDS)
        for publisher in self.publishers.values():
            publisher.start()

    def is_ready(self, worker: Kept) -> bool:
        try:
            return time.time() - self.settings.ready_file(worker.name).stat().st_mtime < FRESH_SECONDS
        except FileNotFoundError:
            return False

    def stop_postgres(self) -> None:
        self.postgres.child.stop()

    def start_postgres(self) -> None:
        self.postgres.child = brokers.started(self.postgres.postgres, self.postgres.children)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.settings.base_url}/readyz", timeout=3, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _worker(self, name: str) -> Kept:
        named = self.settings.model_copy(update={"worker_name": name})
        ready = self.settings.ready_file(name)
        started = command(name, ("service", "worker"), named)
        return self.keeper.add(Kept(self.children, started, lambda: ready.unlink(missing_ok=True)))

    def _service(self, name: str) -> Kept:
        return self.keeper.add(Kept(self.children, command(name, ("service", name), self.settings)))

    def _publisher(self, party: str) -> Kept:
        path = self.home / f"{party}.order"
        self._order(party).write(path)
        arguments = (sys.executable, "-m", "tests.chaos.publisher", str(path))
        environment = {**self.settings.environment(), "PYTHONPATH": str(ROOT)}
        log = self.home / "logs" / f"publisher-{party}.log"
        return self.keeper.add(Kept(self.children, Command(f"publisher {party}", arguments, log, environment)))

    def _order(self, party: str) -> Order:
        spoken: dict[str, Any] = {
            "party": party,
            "seed": self.seed,
            "now": self.began.isoformat(),
            "journal": str(self.journal(party)),
            "enough": str(self.enough),
        }
        if party in KAFKA_PARTIES:
            return Order(**spoken, rate=KAFKA_RATE, kafka=dict(self.broker.access(party).librdkafka()))
        token = tokens.mint(self.settings.issuer_folder, party, [Role.PUBLISH], parties=frozenset(brokers.parties()))
        return Order(**spoken, rate=HTTP_RATE, url=self.settings.base_url, token=token)


@contextmanager
def installed(home: Path, seed: int, broker: Callable[[Path], Broker]) -> Iterator[Installation]:
    """Set everything up; stop it all in the end, whatever came of it."""
    home.mkdir(parents=True, exist_ok=True)
    with _servers(home, broker) as (kafka, postgres):
        known = credentials.ensure(home / "credentials.json", [*rights.SERVICES, *database.ROLES, *brokers.parties()])
        asyncio.run(database.prepare(postgres.dsn(), known))
        children, keeper = Children(), Keeper()
        try:
            settings = _settings(home, kafka, postgres)
            bus = Installation(home, seed, kafka, postgres, children, keeper, settings, _now())
            keeper.start()
            yield bus
        finally:
            if keeper.is_alive():
                keeper.stop()
            children.close()


@contextmanager
def _servers(home: Path, broker: Callable[[Path], Broker]) -> Iterator[tuple[Broker, RunningPostgres]]:
    """Kafka and PostgreSQL, started side by side: each takes seconds."""
    brokers.passwords(home)  # made once: both read them
    with ExitStack() as running, ThreadPoolExecutor(1) as pool:
        starting = pool.submit(brokers.start_postgres, home)
        try:
            kafka = broker(home)
            running.callback(kafka.close)
        finally:
            postgres = starting.result()
            running.callback(postgres.children.close)
        yield kafka, postgres


def _settings(home: Path, broker: Broker, postgres: RunningPostgres) -> Settings:
    return Settings(
        home=home,
        kafka_bootstrap=broker.access().bootstrap,
        database=f"{HOST}:{postgres.postgres.port}/{credentials.DATABASE}",
        replication=broker.count,
        http_port=ports.choose(["http"], {})["http"],
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
