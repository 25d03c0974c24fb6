"""`samspil audit`: hold what left the bus against the record, and say who got what.

The commands read Kafka as the principal `audit`; whoever has its password (in the embedded default: whoever
can read credentials.json) is the auditor.
"""

import re
import time
from collections import Counter
from datetime import datetime
from typing import Annotated

import typer

from consumers.audit.findings import REASONS, Finding, Report
from consumers.audit.history import Told, stub_of, tell_case
from consumers.audit.reading import extent, log_of, states_of, stored_in
from consumers.audit.retelling import Retold
from consumers.audit.share import MOST
from consumers.audit.verification import Kept
from consumers.kept_records import OpenConsumer
from deploy import settings
from deploy.cli import reach
from deploy.cli.audit_disclosures import As, For, Page, Principal, Reader, show
from deploy.cli.audit_shares import Work, audited, fitting
from deploy.cli.console import NO, Json, answer, answer_json, note, progress, progress_over, table
from deploy.cli.files import contracts
from schemas import topics
from schemas.errors import UsageError
from schemas.vocabulary import UUID, instant

PRINCIPAL = "audit"
CaseId = Annotated[str, typer.Option("--case", metavar="ID", help="The case's id, a UUID.")]

app = typer.Typer(no_args_is_help=True, help="For auditors: derive every decision again, and say who got what.")


@app.command("verify")
def verify_command(
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help="Processes that share the work; unset: as many as cores, with little one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Derive every view, receipt and case state again from the log, and compare them byte for byte.

    Reports what was changed, is missing or should not be there, by coordinates and ids. Exit code 0: all is as
    it follows from the log; 1: something differs.
    """
    own = settings.load()
    access = own.kafka(PRINCIPAL)
    of = reach.run(extent(_ear(), contracts().newest.parties, _kept()))
    try:
        report = audited(Work(access, own.policies, of), processes or fitting(of), _progress)
    finally:
        progress_over()
    (answer_json(report.body()) if as_json else _show(report))
    raise typer.Exit(NO if report.findings else 0)


def _kept() -> Kept:
    """Return since when what was written must still be there, by the topics' own retention."""
    kept = {topic.name: dict(topic.settings).get("retention.ms") for topic in topics.catalogue([PRINCIPAL])}
    now = int(time.time() * 1000)
    since = (now - int(kept[name] or 0) for name in (topics.views(PRINCIPAL), topics.LEDGER))
    return Kept(*since)


def _progress(count: int) -> None:
    progress(f"{count} records")


def _show(report: Report) -> None:
    looked_at = report.body()["looked_at"]
    answer(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in looked_at.items()) + " looked at.")
    if not report.findings:
        answer("Everything is as it follows from the log.")
        return
    answer("")
    header = ("WHAT", "IS", "WHERE", "CASE", "EVENT", "RECIPIENT", "BECAUSE")
    table(header, [_row(finding) for finding in report.findings])
    counts = Counter(f"{finding.what} {finding.fault}" for finding in report.findings)
    answer("")
    answer(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) + ".")


def _row(finding: Finding) -> tuple[str, ...]:
    at = "" if finding.offset is None else f"@{finding.offset}"
    return (
        finding.what.replace("_", " "),
        finding.fault,
        f"{finding.topic}/{finding.partition}{at}",
        finding.case or "-",
        finding.event or "-",
        finding.recipient or "-",
        REASONS[finding.why],
    )


@app.command("replay")
def replay_command(
    case: CaseId,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="An RFC 3339 instant on the bus's clock; unset: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell a case again: its events, the views that left it, and its state at a time.

    Of an erased case it says that it was erased, when and why. Exit code 0: there is such a case; 1: the log knows none
    (any more, or at that time).
    """
    told = reach.run(_told(_case(case), _at(at)))
    (answer_json(told.body()) if as_json else _show_told(told))
    raise typer.Exit(0 if told.events else NO)


async def _told(case: str, at: datetime | None = None) -> Told:
    stub = stub_of(await stored_in(_ear(), states_of(case)), case)
    if stub is not None:
        return Told(case, None, (), (), stub)
    return tell_case(contracts(), await stored_in(_ear(), log_of(case)), case, at)


def _show_told(told: Told) -> None:
    if told.erased is not None:
        answer(f"Case {told.case} was erased at {told.erased.at}: {told.erased.reason.replace('_', ' ')}.")
        answer(f"Told of it: {', '.join(told.erased.recipients)}. Its receipts stay: samspil audit disclosures.")
        return
    if not told.events:
        answer("The log knows no such case, or not yet at that time.")
        return
    for retold in told.events:
        _show_event(retold)
    answer("")
    answer(f"State of case {told.case} then:")
    for name, value in (told.state or {}).items():
        answer(f"  {name}: {value}")
    for finding in told.findings:
        note(f"{finding.topic}/{finding.partition}@{finding.offset}: {REASONS[finding.why]}.")


def _show_event(retold: Retold) -> None:
    event, decision = retold.admitted.event, retold.decision
    answer(f"{retold.admitted.seal.recorded}  {event.type}  said by {event.party}  {event.id}")
    for view in decision.views:
        rules = ", ".join(ground["rule"] for ground in view.data["grounds"])
        names = ", ".join((*view.data["fields"], *view.data["refs"], *view.data["case_refs"]))
        answer(f"    {view.recipient} got {names or 'a marker'}  [{rules}]")
    for receipt in decision.receipts:
        if receipt.outcome == "withheld":
            reasons = ", ".join(f"{rule}: {reason}" for rule, reason in receipt.failed.items())
            answer(f"    {receipt.recipient} got nothing  [{reasons}]")


@app.command("disclosures")
def disclosures_command(
    case: CaseId,
    reader: For = Reader.AUDITOR,
    page: Page = None,
    as_: As = Principal.AUDIT,
    as_json: Json = False,
) -> None:
    """Say who got what of a case, when and on which ground; what was withheld; who read the vault; who knows what now.

    Names of fields, never their values. Exit code 0: there are receipts of the case; 1: there are none.
    """
    show(_case(case), reader, page, as_, as_json=as_json)


def _ear() -> OpenConsumer:
    return reach.ear(settings.load(), PRINCIPAL)


def _case(text: str) -> str:
    if not re.fullmatch(UUID, text):
        raise UsageError("--case is the id of a case: a UUID in lower case.")
    return text


def _at(text: str | None) -> datetime | None:
    try:
        return None if text is None else instant(text)
    except ValueError:
        raise UsageError("--at is an RFC 3339 instant, such as 2026-03-04T12:00:00Z.") from None
