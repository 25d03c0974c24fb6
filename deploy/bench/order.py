"""What a measured process is told, as a private file; and the figures that it gives back, as another.

Imports nothing beyond the standard library, since some of these processes run in an environment of their own.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """`kind`: the module in deploy/bench/subjects. `access`: bootstrap, principal, password.

    `name`: of its group and its own topics. `begin_at`: when to begin (seconds since 1970), for processes that must
    begin together.
    """

    kind: str
    name: str
    access: Mapping[str, str]
    policies: str
    result: str
    ready: str
    options: Mapping[str, Any] = field(default_factory=dict)
    begin_at: float = 0.0

    @classmethod
    def read(cls, path: Path) -> "Order":
        return cls(**json.loads(path.read_text()))

    def text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def aiokafka(self) -> dict[str, str]:
        """Keyword arguments of aiokafka's clients."""
        return {
            "bootstrap_servers": self.access["bootstrap"],
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": self.access["principal"],
            "sasl_plain_password": self.access["password"],
        }

    def say_ready(self) -> None:
        Path(self.ready).touch()

    def wait(self) -> None:
        """Wait for the common beginning."""
        time.sleep(max(0.0, self.begin_at - time.time()))

    def answer(self, figures: Mapping[str, Any]) -> None:
        draft = Path(self.result + ".new")
        draft.write_text(json.dumps(figures))
        draft.replace(self.result)
