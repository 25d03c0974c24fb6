"""`samspil hold`: a legal hold on a case. While it stands nothing of the case is erased, whatever asks for it."""

import re
from typing import Annotated

import typer

from consumers.audit.holds import holds_in
from consumers.audit.reading import stored_in
from consumers.audit.share import places_of
from deploy import settings
from deploy.cli import reach
from deploy.cli.console import NO, Json, answer, answer_json, note, table
from deploy.erasing.officer import Answer, officer
from schemas import topics
from schemas.case import Hold
from schemas.errors import UsageError
from schemas.orders import Kind, refusal
from schemas.vocabulary import CASE_ID

CaseId = Annotated[str, typer.Option("--case", metavar="ID", help="The case.")]
MaybeCaseId = Annotated[str | None, typer.Option("--case", metavar="ID", help="The case.")]

app = typer.Typer(help="A legal hold on a case: nothing of it is erased while it stands.")


def require_case(case: str) -> str:
    """Return the case id. Raises UsageError where it is none."""
    if not re.fullmatch(CASE_ID, case):
        raise UsageError("--case is a case id: a random UUID (version 4) in lower case.")
    return case


@app.callback(invoke_without_command=True)
def hold(context: typer.Context, case: MaybeCaseId = None, as_json: Json = False) -> None:
    """Hold a case, as the data protection officer. Without a case: which holds stand, and since when."""
    if context.invoked_subcommand is not None:
        return
    if case is None:
        _show(as_json=as_json)
    else:
        _order("hold", case, "Held.", "It was held already.", as_json=as_json)


@app.command("release")
def release(case: CaseId, as_json: Json = False) -> None:
    """Release the hold. What retention or a request would have erased meanwhile is erased now."""
    _order("release", case, "Released.", "", as_json=as_json)


def _show(*, as_json: bool) -> None:
    holds = reach.run(standing(settings.load()))
    if as_json:
        for one in holds:
            answer_json({"case": one.held, "since": one.since})
    elif holds:
        table(("CASE", "SINCE"), [(one.held, one.since or "") for one in holds])
    note(f"{len(holds)} holds.")


async def standing(known: settings.Settings) -> list[Hold]:
    """Return the holds that stand, by case."""
    return holds_in(await stored_in(reach.ear(known, "audit"), places_of(topics.CASES)))


def _order(kind: Kind, case: str, done: str, before: str, *, as_json: bool) -> None:
    said = reach.run(_given(kind, require_case(case)))
    if as_json:
        answer_json({"case": case, "order": kind, "done": said.reason is None, "reason": said.reason})
    elif said.reason is None:
        answer(before if said.before else done)
    else:
        answer(f"Not done: {refusal(said.reason)}")
    raise typer.Exit(0 if said.reason is None else NO)


async def _given(kind: Kind, case: str) -> Answer:
    async with officer(settings.load()) as orders:
        return await orders.order(kind, case)
