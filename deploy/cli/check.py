"""`samspil check`: would the bus take the form of these events? Offline, before anything is sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import NO, Json, note
from deploy.cli.files import Policies, contracts, events
from deploy.cli.verdict_lines import tell
from deploy.paper_log import admit, is_deposit, paper
from schemas.verdicts import Refusal


def check(
    file: Annotated[
        Path, typer.Argument(help="One event or JSON lines of structured CloudEvents; - for standard input.")
    ],
    policies: Policies = None,
    as_json: Json = False,
) -> None:
    """Check the form of events offline: envelope, size, source, clock, type, publisher and schema.

    What depends on the case (who owns it, what it needs) only the bus can say. One line per event, in order;
    deposits of a scenario are passed over. Exit code 0: all well formed; 1: some are not.
    """
    now = datetime.now(UTC)
    contract = contracts(policies).at(now)
    good = bad = 0
    for number, line in events(file):
        if is_deposit(line):
            continue
        verdict = admit(contract, paper(line), now)
        refused = isinstance(verdict, Refusal)
        good, bad = good + (not refused), bad + refused
        body = verdict.body() if isinstance(verdict, Refusal) else {"id": verdict.id, "verdict": "well_formed"}
        tell(body, number, as_json=as_json)
    note(f"{good} well formed, {bad} not.")
    raise typer.Exit(NO if bad else 0)
