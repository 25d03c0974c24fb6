"""A process that is measured: `python -m deploy.bench.subject ORDER`, ended by a signal or by itself."""

import sys
from importlib import import_module
from pathlib import Path

from deploy.bench.order import Order


def main() -> None:
    order = Order.read(Path(sys.argv[1]))
    import_module(f"deploy.bench.subjects.{order.kind}").run(order)


if __name__ == "__main__":
    main()
