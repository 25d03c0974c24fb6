"""A real PostgreSQL as a child process: loopback only, passwords only, data kept between starts."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.embedded import postgres_programs, processes
from deploy.embedded.credentials import ADMIN, DATABASE
from deploy.embedded.ports import HOST

READY_SECONDS = 60
_PING_SECONDS = 5
_CREATE = Path(__file__).with_name("database.sql")

_SETTINGS: Mapping[str, object] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # one way in, with a password
    "shared_buffers": "64MB",
    "max_connections": 100,
    # LOG, FATAL and PANIC only: an ERROR is the client's to report, and its text can hold values of a row.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "wal_recycle": "off",  # a used file of the write-ahead log goes, and takes with it what was erased
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where one embedded PostgreSQL lives and listens."""

    home: Path
    port: int
    passwords: Mapping[str, str]

    @property
    def log(self) -> Path:
        return self.home / "logs" / "postgres.log"

    @property
    def _data(self) -> Path:
        return self.home / "postgres"

    def dsn(self, role: str = ADMIN, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@{HOST}:{self.port}/{database}"

    def launch(self, children: processes.Children) -> processes.Child:
        """Start it, the cluster made on the first start; it answers a moment later."""
        if not self._is_made():
            self._make()
        return children.start(self._command(postgres_programs.find(self._major())))

    def _command(self, programs: postgres_programs.Programs) -> processes.Command:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        arguments = programs.command("postgres", "-D", self._data, "-p", self.port, *settings)
        # SIGINT is PostgreSQL's fast shutdown: clients are sent away, nothing is lost.
        return processes.Command("postgres", arguments, self.log, stop_signal=signal.SIGINT)

    def _is_made(self) -> bool:
        return (self._data / "samspil").exists()

    def _major(self) -> int:
        return int((self._data / "PG_VERSION").read_text())

    def _make(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted first start may have left
        self._data.mkdir(parents=True, mode=0o700)
        password = self.home / "postgres.password"
        password.touch(mode=0o600)
        password.write_text(self.passwords[ADMIN])
        if owner := postgres_programs.data_owner():
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
        try:
            # C order and UTF-8 whatever the machine's locale says: queries then sort alike everywhere.
            options = (
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "-U",
                ADMIN,
                f"--pwfile={password}",
            )
            command = postgres_programs.find().command("initdb", "-D", self._data, *options)
            processes.run("making PostgreSQL's cluster", command, self.log)
        finally:
            password.unlink()
        (self._data / "samspil").touch()  # only a cluster made to the end has it

    def answers(self) -> bool:
        """Whether the database can be used; it is made as soon as the server lets its admin in."""
        return asyncio.run(self._is_usable())

    async def _is_usable(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn(), timeout=_PING_SECONDS)
        except asyncpg.InvalidCatalogNameError:
            connection = await asyncpg.connect(self.dsn(database="postgres"), timeout=_PING_SECONDS)
            await connection.execute(_CREATE.read_text())
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True
