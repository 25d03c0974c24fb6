"""The broker's jars: resolved by Maven once per user, into a cache that every home shares.

The folder's name carries the digest of pom.xml, and it appears by one rename, so a half-finished download
is never mistaken for a broker.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.embedded import java, processes
from schemas.errors import MisconfiguredError

POM = Path(__file__).with_name("pom.xml")
_GOAL = "dependency:copy-dependencies"


def folder(cache: Path) -> Path:
    return cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def ensure(cache: Path, say: Callable[[str], None]) -> Path:
    """The folder with the jars, fetched now if it is not there yet."""
    jars = folder(cache)
    if not jars.exists():
        say("fetching Kafka (about 55 MB, once)")
        _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MisconfiguredError("the program mvn is missing: install Maven (Debian: apt-get install maven).")
    jars.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="kafka-", dir=jars.parent))
    try:
        processes.run("Maven", _command(maven, draft), jars.parent / "maven.log", seconds=900)
        # Another home may have fetched the same jars meanwhile: theirs are as good.
        if not jars.exists():
            draft.rename(jars)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _command(maven: str, target: Path) -> list[str]:
    options = ["-B", "-ntp", "-Dstyle.color=never", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    command = [maven, *options, "-f", str(POM), _GOAL]
    if shutil.which("java") or "JAVA_HOME" in os.environ:
        return command
    return ["env", f"JAVA_HOME={java.home(java.find())}", *command]
