"""`samspil bench`: how fast the bus is beside other ways to do the same, on this machine."""

import logging
import signal
from typing import Annotated

import typer

from deploy.cli.console import Json, answer, answer_json, note, table

Only = Annotated[
    str | None, typer.Option("--only", metavar="LETTERS", help="What to measure, as a,c,d; unset: everything.")
]


def bench(
    as_json: Json = False,
    only: Only = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small loads and one run: a look, not a figure.")] = False,
    runs: Annotated[int | None, typer.Option(min=1, help="Runs of each; the table has their median.")] = None,
    events: Annotated[
        int | None, typer.Option(min=1_000, help="Events of a run; three times as many of (a) and (c).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the load: the same events for the same seed.")] = 1,
) -> None:
    """Measure the bus and its peers side by side, on a real broker that is started for it and removed afterwards.

    (a) COORDINATE, (b) ADMIT, (c) a plain copy, which is the ceiling, (d) idiomatic Faust, (e) other frameworks,
    (f) the auditor's derivation, (g) recovery, (h) latency, (i) many cases. All of it takes half an hour; progress
    is on standard error. A goal that is not met is printed as such; the exit code says nothing of it.
    """
    from deploy import logs
    from deploy.bench import benchmark
    from deploy.bench.scale import FULL, QUICK
    from deploy.settings import load
    from schemas.contract_files import load_all

    logs.configure("bench", level=logging.WARNING)
    signal.signal(signal.SIGTERM, _interrupt)
    settings = load()
    wishes = benchmark.wished(only, QUICK if quick else FULL, runs, events, seed)
    report = benchmark.run(load_all(settings.policies), settings.policies, settings.cache, wishes, note)
    if as_json:
        answer_json(report.body())
        return
    table(("", "WHAT", "MEDIAN", "UNIT", "SPREAD", "RUNS"), report.figure_rows())
    if report.goals:
        answer("")
        table(("RATIO", "BESIDE", "MEASURED", "GOAL", ""), report.goal_rows())
    answer("")
    for line in report.unmeasured:
        answer(line)
    answer(f"{report.load['events']:,} events of a run, {report.load['accepted']:.1%} of them accepted.")
    answer(", ".join(f"{name} {value}" for name, value in report.machine.items()))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
