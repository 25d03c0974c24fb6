"""How often partitions changed hands, from the workers' own logs."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of partitions in all, and of the one that was claimed most often: so often all were dealt anew."""

    claims: int
    rebalances: int


def claims(logs: Path) -> Claims:
    """Count the claims in the workers' logs."""
    counted: Counter[tuple[str, int]] = Counter()
    for log in logs.glob("worker-*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if "partition_claimed" in line:
                said = json.loads(line)
                counted[said["topic"], said["partition"]] += 1
    return Claims(counted.total(), max(counted.values(), default=0))
