"""On what was measured: figures without it mean nothing."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.embedded import java

_ROOT = Path(__file__).parents[2]
_LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "pydantic", "orjson", "msgspec")


def described() -> dict[str, str | int]:
    """Return machine, versions and commit."""
    said: dict[str, str | int] = {
        "cores": os.cpu_count() or 1,
        "cpu": _cpu(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "java": java.version(java.find()) or "unknown",
        "commit": _commit(),
        "load_average": f"{os.getloadavg()[0]:.1f}",
    }
    return said | {name: found for name in _LIBRARIES if (found := _version(name))}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else "unknown"


def _commit() -> str:
    """Return the commit, with a + where the tree differs from it."""
    try:
        said = [
            subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607 - the user's own git
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        ]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said[0] + ("+" if said[1] else "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
