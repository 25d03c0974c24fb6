"""`samspil policy record`: the tables of the Article 30 record and the DPIA, from the contract."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import answer, note
from deploy.cli.files import Policies, contracts
from schemas.errors import UsageError
from schemas.processing_record import TABLES, renewed


def record(
    documents: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Documents to renew in place; without one, the tables are printed."),
    ] = None,
    policies: Policies = None,
) -> None:
    """Renew the tables of the Article 30 record and the DPIA (deploy/docs, in Danish) from the contract.

    Only what stands between the marks of a table changes; what the administration filled in stays.
    """
    contract = contracts(policies).newest
    for path in documents or ():
        try:
            path.write_text(renewed(path.read_text(encoding="utf-8"), contract), encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise UsageError(f"{path} cannot be renewed: {reason or type(error).__name__}.") from None
        note(f"{path} follows from the contract valid from {contract.valid_from}.")
    if not documents:
        answer("\n\n".join(f"## {name}\n\n{table(contract)}" for name, table in TABLES.items()))
