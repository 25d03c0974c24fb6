"""Every setting of samspil, in one frozen model, from the environment (SAMSPIL_*).

What is not set follows from the home of the embedded default: its run.json has the ports, its
credentials.json the passwords. Built once, by the command that runs; everybody else is handed what they need.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, HttpUrl, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.embedded import credentials
from deploy.embedded.home import Home
from deploy.embedded.ports import HOST
from deploy.kafka_access import KafkaAccess
from schemas.errors import MisconfiguredError

PREFIX = "SAMSPIL_"
Port = Annotated[int, Field(ge=1, le=65535)]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samspil"


class Settings(BaseSettings):
    """The settings. Each description is what deploy/README.md says of it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore")

    home: Path = Field(Path(".samspil"), description="Folder of the embedded default: data, logs, passwords, ports.")
    cache: Path = Field(default_factory=_cache, description="Folder of Kafka's jars, shared by all homes of a user.")
    policies: Path = Field(
        Path(__file__).with_name("policies"), description="Folder of the contracts, one folder per date."
    )
    clock: Literal["wall", "events"] = Field(
        "wall", description="`wall`, or `events`: the bus's clock follows the newest event time (for demonstrations)."
    )
    kafka_bootstrap: str | None = Field(None, min_length=1, description="Kafka's address; unset: the embedded Kafka.")
    replication: Annotated[int, Field(ge=1, le=9)] = Field(
        1,
        description="Copies of each topic on Kafka, of which most must stand before a record is acknowledged; "
        "3 on a cluster.",
    )
    database: str | None = Field(
        None,
        pattern=r"^[^/@\s]+/[^/@\s]+$",
        description="PostgreSQL as `host:port/name`, without a role; unset: the embedded PostgreSQL.",
    )
    credentials: Path | None = Field(
        None, description="JSON file of passwords by principal or role; unset: `credentials.json` in the home."
    )
    issuer_keys: Path | None = Field(
        None, description="Folder of the local token issuer's key; unset: `issuer` in the home."
    )
    vault_keys: Path | None = Field(
        None,
        description="File of the vault's key-encryption keys, hex, one a line, the one in use first; unset: "
        "`vault.keys` in the home.",
    )
    vault_key_command: str | None = Field(
        None,
        min_length=1,
        description="Command that wraps and unwraps the vault's keys, as for a key management service; then no file "
        "is used.",
    )
    http_host: str = Field(HOST, min_length=1, description="Address that the HTTP server listens on.")
    http_port: Port | None = Field(None, description="Its port; unset: a free one, kept in the home.")
    kafka_port: Port | None = Field(None, description="Port of the embedded Kafka; unset: a free one, kept.")
    postgres_port: Port | None = Field(None, description="Port of the embedded PostgreSQL; unset: a free one, kept.")
    url: HttpUrl | None = Field(
        None, description="Base URL that the commands talk to; unset: the embedded HTTP server."
    )
    oidc_issuer: HttpUrl | None = Field(
        None, description="OpenID Connect issuer whose tokens are believed; unset: the local issuer."
    )
    oidc_audience: str = Field("samspil", min_length=1, description="Audience that such tokens must name.")
    worker_name: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]{1,60}$",
        description="A worker's name among the workers, the same after each restart; unset: the host's.",
    )
    # No less: a healthy worker waits for up to 40 s for a broker that fell silent (streams/watchdog.py).
    worker_patience: Annotated[float, Field(ge=60, le=3600)] = Field(
        60.0,
        description="Seconds, 60 or more, that a worker may stand still while records wait, before it ends to be "
        "started again.",
    )
    verdict_wait: Annotated[int, Field(ge=0, le=300)] = Field(
        30, description="Most seconds that `Prefer: wait` waits for a verdict."
    )
    views_wait: Annotated[int, Field(ge=0, le=300)] = Field(
        30, description="Most seconds that `GET /views` waits for a view."
    )
    vault_wait: Annotated[float, Field(ge=0, le=60)] = Field(
        2.0, description="Seconds that a vault read waits for the read model, before it answers 503."
    )

    @field_validator("home", "cache", "policies")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        # Services run with the same settings wherever they are started from.
        return path.expanduser().absolute()

    @property
    def bootstrap(self) -> str:
        return self.kafka_bootstrap or f"{HOST}:{self._kept_port('kafka')}"

    @property
    def base_url(self) -> str:
        """Where the commands find the HTTP server; without a slash at its end."""
        return str(self.url or f"http://{self.http_host}:{self.http_port or self._kept_port('http')}").rstrip("/")

    @property
    def http_address(self) -> tuple[str, int]:
        return self.http_host, self.http_port or self._kept_port("http")

    @property
    def bus_clock(self) -> str:
        """Which clock the bus goes by: of a bus that runs in this home, the one that it was started with."""
        run = None if self.kafka_bootstrap else Home(self.home).last_run()
        return run.clock if run else self.clock

    @property
    def issuer_folder(self) -> Path:
        return self.issuer_keys or self.home / "issuer"

    @property
    def vault_key_file(self) -> Path:
        return self.vault_keys or self.home / "vault.keys"

    def kafka(self, principal: str) -> KafkaAccess:
        """How this principal reaches Kafka."""
        return KafkaAccess(self.bootstrap, principal, self._password(principal))

    def dsn(self, role: str) -> str:
        """How this role reaches the database. It holds the password: never to be logged."""
        place = self.database or f"{HOST}:{self._kept_port('postgres')}/{credentials.DATABASE}"
        password = quote(self._password(role), safe="")  # whoever runs the bus may have chosen it: any character
        return f"postgresql://{quote(role, safe='')}:{password}@{place}"

    def ready_file(self, service: str) -> Path:
        """A service without HTTP touches it at least every second while it is ready."""
        return self.home / "run" / f"{service}.ready"

    def environment(self) -> dict[str, str]:
        """The environment in which a child process reads these same settings."""
        named = {PREFIX + name.upper(): str(value) for name, value in self if value is not None}
        return {**os.environ, **named}

    def _password(self, principal: str) -> str:
        path = self.credentials or self.home / "credentials.json"
        try:
            return credentials.read(path)[principal]
        except FileNotFoundError:
            raise MisconfiguredError(f"{path} is missing: start samspil up, or set SAMSPIL_CREDENTIALS.") from None
        except KeyError:
            raise MisconfiguredError(f"{path} has no password for {principal}.") from None

    def _kept_port(self, name: str) -> int:
        run = Home(self.home).last_run()
        if run is None or name not in run.ports:
            raise MisconfiguredError(f"nothing runs in {self.home}: start samspil up, or set SAMSPIL_HOME.")
        return run.ports[name]


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises MisconfiguredError, which names settings and never their values."""
    try:
        return Settings(**overrides)
    except ValidationError as invalid:
        named = {f"{PREFIX}{str(error['loc'][0]).upper()} ({error['type']})" for error in invalid.errors()}
        raise MisconfiguredError(", ".join(sorted(named))) from None


def documentation() -> str:
    """The rows of the table in deploy/README.md, which a test holds against this model."""
    return "\n".join(
        f"| `{PREFIX}{name.upper()}` | {field.description} |" for name, field in Settings.model_fields.items()
    )


if __name__ == "__main__":
    sys.stdout.write(documentation() + "\n")
