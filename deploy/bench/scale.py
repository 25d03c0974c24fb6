"""How much is measured: enough for figures that hold, or a quick look."""

from dataclasses import dataclass

LETTERS = "abcdefghi"


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of one benchmark. Peers would need minutes for all events: they are given `peer_events`, and go on for
    `peer_seconds` at least. The worker and a copy would be over in no time: they are given `backlog` events, so that
    beginning and end weigh little.
    """

    runs: int
    events: int
    peer_events: int
    peer_seconds: int
    backlog: int
    at_once: int
    cases: tuple[int, ...]
    events_on_cases: int
    warm_seconds: int
    latency_seconds: int
    http_seconds: int


FULL = Scale(
    runs=3,
    events=60_000,
    peer_events=2_000,
    peer_seconds=10,
    backlog=180_000,
    at_once=60,
    cases=(1_000, 100_000, 1_000_000),
    events_on_cases=12_000,
    warm_seconds=20,
    latency_seconds=30,
    http_seconds=20,
)
QUICK = Scale(
    runs=1,
    events=24_000,
    peer_events=800,
    peer_seconds=4,
    backlog=60_000,
    at_once=12,
    cases=(1_000, 20_000),
    events_on_cases=4_000,
    warm_seconds=4,
    latency_seconds=8,
    http_seconds=8,
)
