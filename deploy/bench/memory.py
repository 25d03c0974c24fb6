"""How much memory a process holds, as Linux tells it."""

from pathlib import Path


def resident_mb(pid: int | str = "self") -> int:
    """Return a process's resident memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS:"))
