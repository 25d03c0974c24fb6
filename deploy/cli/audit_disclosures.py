"""`samspil audit disclosures`: who got what of a case, for an auditor or for the citizen whom it is about.

The auditor reads log, ledger and states. The data protection officer has the ledger alone, and needs no further right:
types and grounds follow from the receipts; what was called back since is then not told, and the report says so.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from consumers.audit.citizen import for_citizen, secret_events
from consumers.audit.disclosures import Disclosure, Ground, disclosures
from consumers.audit.history import Told, stub_of, tell_case
from consumers.audit.knowledge import Known, knowledge, known_of_receipts
from consumers.audit.page import Account, Ending, page
from consumers.audit.reading import ledger_of, log_of, states_of, stored_in
from deploy import settings
from deploy.cli import reach
from deploy.cli.console import NO, answer, answer_json, note
from deploy.cli.files import contracts
from schemas.errors import UsageError


class Reader(StrEnum):
    """Whom a report is for."""

    CITIZEN = "citizen"
    AUDITOR = "auditor"


class Principal(StrEnum):
    """Whose login reads: the auditor's everything, the data protection officer's the ledger alone."""

    AUDIT = "audit"
    DPO = "dpo"


For = Annotated[
    Reader, typer.Option("--for", help="A citizen's report tells nothing of an authority's secret request.")
]
Page = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write it as a page in Danish.")]
As = Annotated[Principal, typer.Option("--as", help="Whose login reads; dpo reads the receipts alone.")]


@dataclass(frozen=True, slots=True)
class _Found:
    told: Told | None
    rows: tuple[Disclosure, ...]


def show(case: str, reader: Reader, file: Path | None, principal: Principal, *, as_json: bool) -> None:
    """Print a case's disclosures, or write them as a page."""
    account = _account(case, reader, reach.run(_found(case, principal)))
    if file is not None:
        _write(file, page(contracts(), account))
    elif as_json:
        _show_json(account)
    else:
        _show(account)
    note(f"{len(account.rows)} receipts.")
    if not account.whole and account.ending is None:
        note("From the receipts alone: what was corrected or withdrawn since is not told.")
    raise typer.Exit(0 if account.rows else NO)


async def _found(case: str, principal: Principal) -> _Found:
    ear = reach.ear(settings.load(), principal.value)
    told = None
    if principal is Principal.AUDIT:
        stub = stub_of(await stored_in(ear, states_of(case)), case)
        known = contracts()
        told = Told(case, None, (), (), stub) if stub else tell_case(known, await stored_in(ear, log_of(case)), case)
    return _Found(told, disclosures(contracts(), await stored_in(ear, ledger_of(case)), case, told))


def _account(case: str, reader: Reader, found: _Found) -> Account:
    known_contracts, now, told = contracts(), datetime.now(UTC), found.told
    ending = _ending(found)
    hidden = secret_events(found.rows, told) if reader is Reader.CITIZEN else frozenset()
    citizen = reader is Reader.CITIZEN
    rows = for_citizen(known_contracts.newest, found.rows, told) if citizen else found.rows
    whole = told is not None and bool(told.events)
    known = (
        knowledge(known_contracts, told, now)
        if told is not None and told.events
        else known_of_receipts(rows, erased=ending is not None)
    )
    return Account(case, citizen, rows, [one for one in known if one.event not in hidden], ending, whole, now)


def _ending(found: _Found) -> Ending | None:
    if found.told is not None:
        stub = found.told.erased
        return None if stub is None else Ending(stub.at, stub.reason)
    return next((Ending(row.time, None) for row in found.rows if row.type == "case-erased"), None)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or type(error).__name__}.") from None


def _show_json(account: Account) -> None:
    if account.ending is not None:
        answer_json({"kind": "erased", "recipient": None, "at": account.ending.at, "reason": account.ending.reason})
    for row in account.rows:
        answer_json({"kind": "disclosure", **row.body()})
    for known in account.known:
        answer_json({"kind": "known", **known.body()})


def _show(account: Account) -> None:
    if account.ending is not None:
        why = f": {account.ending.reason.replace('_', ' ')}" if account.ending.reason else ""
        answer(f"Erased at {account.ending.at}{why}.")
    for row in account.rows:
        _show_disclosure(row)
    if account.known:
        answer("")
        answer("What each recipient knows now:" if account.whole else "What each recipient was told:")
    for known in account.known:
        answer(_line(known))


def _line(known: Known) -> str:
    about = " ".join(filter(None, (known.type, known.event)))
    why = f", {known.why.replace('_', ' ')}" if known.why else ""
    name = known.name or "that it happened"
    opens = "; can open it" if known.readable else ""
    return f"  {known.recipient}  {about}  {name}: {known.standing.replace('_', ' ')}{why}{opens}"


def _show_disclosure(row: Disclosure) -> None:
    by = f"  by {row.actor}" if row.actor else ""
    about = " ".join(filter(None, (row.type, row.event)))
    answer(f"{row.time}  {row.recipient}  {row.outcome.replace('_', ' ')}  {about}{by}")
    if names := (*row.fields, *row.refs):
        answer(f"    {', '.join(names)}")
    for ground in row.grounds:
        answer(f"    {_ground(ground)}")


def _ground(ground: Ground) -> str:
    failed = f"withheld, {ground.failed}; " if ground.failed else ""
    gate = f"gate {ground.gate}, {ground.basis}" if ground.gate else "a rule of a contract that is not here"
    return f"{ground.rule}: {failed}{gate}"
