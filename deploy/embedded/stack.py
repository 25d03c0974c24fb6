"""The embedded default from start to stop: brokers, topics and rights, tables, services, demonstration.

Everything is stopped in the order in which nothing is cut off: services first, then what they stand on.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from deploy import database, topics_admin
from deploy.embedded import credentials, jars, ports
from deploy.embedded.home import Home, Run
from deploy.embedded.kafka import Kafka
from deploy.embedded.parts import SERVICES, Part, brokers, command, services
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import Child, Children
from deploy.embedded.supervisor import Supervisor
from deploy.settings import Settings
from schemas import rights, topics
from schemas.contract import Contracts
from schemas.errors import MisconfiguredError

PORTS = ("kafka", "controller", "postgres", "http")
SCENARIO = Path(__file__).parents[1] / "scenarios" / "first-weeks.jsonl"
_LOOK_SECONDS = 0.25
_PLAYED = "demonstration.played"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `samspil up` was asked for."""

    fresh: bool = False
    demonstration: bool = False


class Stack:
    """One running embedded default. The caller holds the home."""

    def __init__(self, settings: Settings, contracts: Contracts, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._home = Home(settings.home)
        self._parties = sorted({party for contract in contracts.all for party in contract.parties})
        self._say = say
        self._children = Children()
        self._supervisor = Supervisor(self._children, say)
        self._demonstration: Child | None = None
        self._run: Run | None = None

    def start(self, wishes: Wishes) -> Run:
        """Start everything; return once every part is ready. Raises MisconfiguredError."""
        if self._settings.replication > 1:
            raise MisconfiguredError("SAMSPIL_REPLICATION is for a cluster; the embedded Kafka is one broker.")
        if wishes.fresh:
            self._home.wipe()
        self._home.require_room()
        cache = jars.ensure(self._settings.cache, self._say)
        run = self._begin()
        kafka, postgres = self._brokers(run, cache)
        self._together(brokers(kafka, postgres))
        self._prepare(kafka, postgres)
        self._together(services(self._settings))
        if wishes.demonstration:
            self._demonstrate()
        self._note("ready")
        return self._noted

    def supervise(self, stopping: Event) -> None:
        """Look after the parts until told to stop."""
        while not stopping.wait(_LOOK_SECONDS):
            self._supervisor.look()
            self._look_at_demonstration()
            self._note("ready")

    def stop(self) -> None:
        """Stop everything that was started, whatever came of it."""
        if self._run:
            self._note("stopping")
        if self._demonstration:
            self._demonstration.stop()
        self._supervisor.stop(SERVICES)
        self._supervisor.stop(("kafka", "postgres"))
        self._children.close()
        if self._run:
            self._note("stopped")

    @property
    def _noted(self) -> Run:
        if self._run is None:
            raise RuntimeError("the stack has not begun")
        return self._run

    def _begin(self) -> Run:
        chosen = self._choose_ports()
        settings = self._settings
        url = f"http://{settings.http_host}:{chosen['http']}"
        self._run = Run(
            pid=os.getpid(),
            ports=chosen,
            clock=settings.clock,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            url=url,
            state="starting",
        )
        self._home.note(self._run)
        return self._run

    def _choose_ports(self) -> dict[str, int]:
        last = self._home.last_run()
        settings = self._settings
        wanted = {"kafka": settings.kafka_port, "postgres": settings.postgres_port, "http": settings.http_port}
        fixed = {name: port for name, port in wanted.items() if port is not None}
        for name, port in fixed.items():
            ports.require_free(port, f"SAMSPIL_{name.upper()}_PORT")
        return ports.choose(PORTS, {**(last.ports if last else {}), **fixed})

    def _brokers(self, run: Run, cache: Path) -> tuple[Kafka, Postgres]:
        names = [*rights.SERVICES, *database.ROLES, *self._parties]
        passwords = credentials.ensure(self._settings.home / "credentials.json", names)
        kafka = Kafka(self._settings.home, cache, run.ports["kafka"], run.ports["controller"], passwords)
        return kafka, Postgres(self._settings.home, run.ports["postgres"], passwords)

    def _prepare(self, kafka: Kafka, postgres: Postgres) -> None:
        users = {name: kafka.passwords[name] for name in (*rights.SERVICES, *self._parties)}
        wanted = topics_admin.Wanted(topics.catalogue(self._parties), rights.rights(self._parties), users)
        began = time.monotonic()
        changes = topics_admin.apply(kafka.access(), wanted)
        asyncio.run(database.prepare(postgres.dsn(), postgres.passwords))
        self._say(
            f"{len(wanted.topics)} topics ({changes.created} new), {len(wanted.rights)} rights "
            f"({changes.granted} new), tables ({time.monotonic() - began:.1f} s)"
        )

    def _together(self, parts: Iterable[Part]) -> None:
        started = tuple(parts)
        self._say(f"starting {', '.join(part.name for part in started)}")
        with ThreadPoolExecutor(len(started)) as pool:
            for done in [pool.submit(self._supervisor.launch, part) for part in started]:
                done.result()

    def _demonstrate(self) -> None:
        if not (self._settings.home / _PLAYED).exists():
            arguments = ("scenario", "play", str(SCENARIO), "--shift", "now")
            self._demonstration = self._children.start(command("demonstration", arguments, self._settings))
            self._note("starting", demonstration="playing")
            self._say("playing the demonstration's first weeks")

    def _look_at_demonstration(self) -> None:
        if self._demonstration is None or (code := self._demonstration.exit_code()) is None:
            return
        # Some of its events are there to be refused: an exit code of 1 says just that.
        played = code in (0, 1)
        self._demonstration.kill()
        self._demonstration = None
        self._note("ready", demonstration="played" if played else "failed")
        if played:
            (self._settings.home / _PLAYED).touch()
        log = self._settings.home / "logs" / "demonstration.log"
        self._say("the demonstration has been played" if played else f"the demonstration failed; see {log}")

    def _note(self, state: str, **more: str) -> None:
        run = self._noted.model_copy(update={"state": state, "parts": self._supervisor.seen(), **more})
        if run != self._run or state == "starting":
            self._run = run
            self._home.note(run)
