"""The proof under failure: `make chaos`, or python -m tests.chaos --kills 220 --seed 7 --brokers 3."""

import argparse
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.chaos import report
from tests.chaos.broker import SingleBroker
from tests.chaos.cluster import ClusterBroker
from tests.chaos.plan import Shape
from tests.chaos.run import Report, StuckError, run

_BROKERS = {kind.count: kind for kind in (SingleBroker, ClusterBroker)}
_LEADERS_TIMES = 12  # four kinds of leader go in turn: three times each


def main() -> int:
    """Run, print the table, and give 1 where anything is not as it must be, or the run does not go on."""
    options = _options()
    home = Path(tempfile.mkdtemp(prefix="samspil-chaos-")) / "home"
    _say(f"home {home}")
    clean = False
    try:
        done = _run(home, options)
        _say(report.table(done))
        clean = done.result.clean
    except StuckError as stuck:
        _say("".join(traceback.format_exception(stuck.__cause__)))
        _say(str(stuck))
    if clean and not options.keep:
        shutil.rmtree(home.parent)
    else:
        _say(f"the logs are in {home}")
    return 0 if clean else 1


def _run(home: Path, options: argparse.Namespace) -> Report:
    # A cluster is there for its brokers' absence: at least every fourth kill takes one away.
    broker_kills = 1 if options.brokers == 1 else max(_LEADERS_TIMES, options.kills // 4)
    shape = Shape(options.kills, options.postgres_seconds, broker_kills)
    return run(home, options.seed, shape, _say, _BROKERS[options.brokers])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=220, help="faults that kill (some kill several processes)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same faults")
    parser.add_argument("--postgres-seconds", type=float, default=60, help="how long PostgreSQL is stopped once")
    parser.add_argument("--brokers", type=int, choices=list(_BROKERS), default=1, help="with 3, one may be away")
    parser.add_argument("--keep", action="store_true", help="keep data and logs, also when nothing was found")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
