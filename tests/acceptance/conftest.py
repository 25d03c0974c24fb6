"""The whole stack as a person starts it: `samspil up`, in a home of its own, with every service a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.settings import Settings

SAMSPIL = Path(sys.executable).with_name("samspil")
START_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack, and its command line."""

    home: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    @property
    def url(self) -> str:
        return self.settings.base_url

    @property
    def environment(self) -> dict[str, str]:
        """What makes the command line mean this stack."""
        return {**os.environ, "SAMSPIL_HOME": str(self.home)}

    def samspil(
        self, *arguments: str | Path, stdin: str | None = None, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run the real command against this stack."""
        return subprocess.run(
            [SAMSPIL, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def token(self, party: str, *roles: str) -> str:
        wanted = ("--role", ",".join(roles)) if roles else ()
        return self.samspil("token", party, *wanted).stdout.strip()

    def client(self, party: str, *roles: str) -> httpx.Client:
        """An HTTP client that carries the party's token."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token(party, *roles)}"})

    def logs(self) -> str:
        """Everything that the services wrote, the broker's own files included; what was judged is cut meanwhile."""
        found = []
        for path in sorted(self.home.rglob("*.log")):
            with suppress(FileNotFoundError):
                found.append(path.read_text(errors="replace"))
        return "".join(found)


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stack]]:
    """Start stacks by name; all are stopped at the end of the session."""
    stacks: list[Stack] = []

    def started(name: str) -> Stack:
        stack = Stack(tmp_path_factory.mktemp(name))
        stacks.append(stack)
        up = stack.samspil("up", "--detach", "--clock", "events", seconds=START_SECONDS)
        assert up.returncode == 0, up.stderr + stack.logs()[-4000:]
        return stack

    yield started
    for stack in stacks:
        stack.samspil("down")


@pytest.fixture(scope="session")
def stack(start: Callable[[str], Stack]) -> Stack:
    """The stack that most tests share: use ids of your own."""
    return start("stack")
