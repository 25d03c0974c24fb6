"""`samspil erase`: a case erased for good, and proof of it by reading whatever could still hold it."""

from typing import Annotated, get_args

import typer

from deploy import settings
from deploy.cli import reach
from deploy.cli.console import NO, Json, answer, answer_json, note, progress, progress_over, table
from deploy.cli.files import contracts
from deploy.cli.hold import CaseId, require_case
from deploy.erasing.remains import Looked
from schemas.errors import UsageError
from schemas.orders import HELD, Reason, refusal

_REASONS: tuple[Reason, ...] = get_args(Reason)
_UNSEEN = (
    "What no running server can show: blocks that a disk has not written over yet, copies on brokers that fell behind, "
    "replicas and backups of PostgreSQL (of an old backup nothing can be read before it was erased again), and what "
    "recipients keep of what they read."
)
_ELSEWHERE = "Kafka and PostgreSQL do not run in this home, so their files were not read: only what they show."
_BEFORE = "References into the vault are known of a case that stands: those of one erased before were not sought again."
_ANSWERS = "Answers to publishers name ids of events, not cases; they are kept for 14 days."


def erase(
    case: CaseId,
    reason: Annotated[str, typer.Option(metavar="|".join(_REASONS), help="What its recipients are told.")],
    within: Annotated[int, typer.Option(min=1, max=3600, help="Seconds that Kafka may take to clear its files.")] = 120,
    as_json: Json = False,
) -> None:
    """Erase a case, as the data protection officer: order it, wait, clear every file, read everything for what is left.

    Run it again to look again, or to finish what was interrupted. Exit code 0: nothing is left but what must stay;
    1: something is, or the order was refused.
    """
    from deploy.erasing.erasure import Eraser  # here: the clients cost half a second

    known = settings.load()
    parties = frozenset(party for contract in contracts().all for party in contract.parties)
    eraser = Eraser(known, parties, require_case(case), within, progress)
    done = reach.run(eraser.erase(_reason(reason)))
    progress_over()
    if done.answer.reason is not None:
        _refused(case, done.answer.reason, as_json=as_json)
    if as_json:
        _show_json(case, done.looked, before=done.answer.before, gone=done.gone)
    else:
        answer("It had been erased before." if done.answer.before else "Erased.")
        _show(done.looked)
    if done.answer.before:
        note(_BEFORE)
    if not done.embedded:
        note(_ELSEWHERE)
    note(_ANSWERS)
    note(_UNSEEN)
    note("Receipts stay, and still verify: samspil audit verify")
    raise typer.Exit(0 if done.gone else NO)


def _reason(said: str) -> Reason:
    for reason in _REASONS:
        if reason == said:
            return reason
    raise UsageError(f"--reason is one of {', '.join(_REASONS)}.")


def _refused(case: str, reason: str, *, as_json: bool) -> None:
    if as_json:
        answer_json({"case": case, "erased": False, "reason": reason})
    else:
        answer(f"Not erased: {refusal(reason)}")
        if reason == HELD:
            note(f"It is released by: samspil hold release --case {case}")
    raise typer.Exit(NO)


def _show_json(case: str, looked: tuple[Looked, ...], *, before: bool, gone: bool) -> None:
    answer_json({"case": case, "erased": True, "before": before, "gone": gone})
    for place in looked:
        answer_json(place.body())


def _show(looked: tuple[Looked, ...]) -> None:
    rows = [(place.place, f"{place.read} {place.unit}", str(place.left), _stays(place)) for place in looked]
    table(("WHERE", "READ", "LEFT", "STAYS"), rows)


def _stays(place: Looked) -> str:
    return f"{place.stays}: {place.why}" if place.stays else ""
