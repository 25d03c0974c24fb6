"""A publisher as a process of its own: it tells its lives, writes down what was acknowledged, and can be killed.

Started again it goes on: what is not in its journal is said again, under the same id. It ends by itself, with
status 0, at the end of the block after which it finds that it has said enough.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos import journal, lives
from tests.chaos.journal import Journal
from tests.chaos.lives import Life


@dataclass(frozen=True, slots=True)
class Order:
    """What a publisher is to do. `kafka`: settings of its client, or else `url` and `token`."""

    party: str
    seed: int
    now: str
    rate: float
    journal: str
    enough: str
    kafka: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    token: str = field(default="", repr=False)

    def write(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    def blocks(self) -> Iterator[list[Life]]:
        """Yield what is to be said, without what the journal holds, until it is enough."""
        known = {line.id for line in journal.read(Path(self.journal))}
        for block in lives.blocks(self.party, self.seed, datetime.fromisoformat(self.now)):
            left = [[line for line in life if line.saying.id not in known] for life in block]
            if unsaid := [life for life in left if life]:
                yield unsaid
                if self.is_enough:
                    return

    @property
    def is_enough(self) -> bool:
        return Path(self.enough).exists()


def main(path: Path) -> None:
    order = Order(**json.loads(path.read_text()))
    with Journal(Path(order.journal)) as kept:
        if order.kafka:
            from tests.chaos.kafka_voice import KafkaVoice  # noqa: PLC0415 - each imports its own client alone

            KafkaVoice(order, kept).speak()
        else:
            from tests.chaos.http_voice import HttpVoice  # noqa: PLC0415 - as above

            asyncio.run(HttpVoice(order, kept).speak())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
