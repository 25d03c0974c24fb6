"""`samspil schema` and `samspil asyncapi`: what partners are given to build against."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.cli.console import answer, note
from deploy.cli.files import Policies, contracts
from schemas.asyncapi import document
from schemas.errors import UsageError
from schemas.json_schema import schemas

app = typer.Typer(
    no_args_is_help=True, help="The events as JSON Schema, for parties that validate before they publish."
)
READABLE = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


@app.command("export")
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to; made where it is missing.")],
    policies: Policies = None,
) -> None:
    """Write a JSON Schema (2020-12) per type of event and version, and one of the envelope."""
    found = schemas(contracts(policies).newest)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, schema in found.items():
            (directory / f"{name}.json").write_bytes(orjson.dumps(schema, option=READABLE) + b"\n")
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error.strerror or type(error).__name__}.") from None
    note(f"{len(found)} schemas written to {directory}.")


def asyncapi(policies: Policies = None) -> None:
    """Print the bus as an AsyncAPI 3 document (JSON): topics, who may use them, and what their messages hold."""
    answer(orjson.dumps(document(contracts(policies).newest), option=READABLE).decode())
