"""The root of the command line. What goes wrong is one line on standard error, never a traceback with values."""

import sys
import traceback
from pathlib import Path

import typer

from deploy.cli import (
    audit,
    bench,
    check,
    dead,
    erase,
    follow,
    hold,
    policy,
    publish,
    scenario,
    schema,
    stack,
    statistics,
    token,
    topics,
    usage,
    vault,
)
from deploy.cli.console import CANNOT, note
from schemas.errors import SamspilError

app = typer.Typer(
    name="samspil",
    help="A message bus for a city's coordination unit: every recipient gets the least that it needs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables
)

stack.register(app)
app.command("token")(token.token)
app.command("publish")(publish.publish)
app.add_typer(scenario.app, name="scenario")
app.command("follow")(follow.follow)
app.command("refusals")(follow.refusals)
app.add_typer(dead.app, name="dead")
app.add_typer(hold.app, name="hold")
app.command("erase")(erase.erase)
app.add_typer(policy.app, name="policy")
app.command("check")(check.check)
app.add_typer(topics.app, name="topics")
app.add_typer(schema.app, name="schema")
app.command("asyncapi")(schema.asyncapi)
app.add_typer(audit.app, name="audit")
app.add_typer(statistics.app, name="statistics")
app.add_typer(vault.app, name="vault")
app.command("bench")(bench.bench)


def main() -> None:
    """Run a command; exit code 2 when it could not be done."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        note(usage.told(error))
        sys.exit(CANNOT)
    except SamspilError as error:
        note(str(error))
        sys.exit(CANNOT)
    except Exception as error:  # noqa: BLE001 - its text may hold a value, so it is named by class and place alone
        note(f"This is a fault in samspil: {type(error).__name__} at {_place(error)}.")
        sys.exit(CANNOT)


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


if __name__ == "__main__":
    main()
