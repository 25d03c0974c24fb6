"""`samspil policy`: is a contract right, and why does a party see what it sees."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deploy.cli.console import NO, Json, answer, answer_json, note
from deploy.cli.explanation import TELLING, Explanation, Ruled, explain
from deploy.cli.files import Policies, contracts, read
from deploy.cli.record import record
from deploy.cli.verdict_lines import why
from deploy.paper_log import PaperBus, hear_all
from schemas.contract import Contract
from schemas.contract_files import holds_contract, load, load_all
from schemas.errors import ContractError, UsageError
from schemas.verdicts import Accepted, Refusal

app = typer.Typer(no_args_is_help=True, help="The contract: who may say what, and who may see what on which ground.")
app.command("record")(record)

SAYING = {
    "not_addressed": "does not address this party here",
    "when_not_met": "its condition on the event does not hold",
    "own_event": "the publisher gets no view of its own event",
}


@app.command("check")
def check_policy(
    directory: Annotated[
        Path,
        typer.Argument(help="A folder with catalogue.yaml, parties.yaml and policy.yaml, or one of such folders."),
    ],
    as_json: Json = False,
) -> None:
    """Read a contract whole and say whether the bus would start with it.

    A contract with one unknown word is refused, with file and line. Exit code 0: taken; 1: refused.
    """
    try:
        taken = _load(directory)
    except ContractError as error:
        if as_json:
            answer_json({"valid": False, "fault": error.detail})
        else:
            answer(str(error))
        raise typer.Exit(NO) from None
    for contract in taken:
        _tell(contract, as_json=as_json)


def _load(directory: Path) -> tuple[Contract, ...]:
    if holds_contract(directory):
        return (load(directory),)
    return load_all(directory).all


def _tell(contract: Contract, *, as_json: bool) -> None:
    held = {"parties": len(contract.parties), "types": len(contract.types), "rules": len(contract.rules)}
    if as_json:
        valid_from = contract.valid_from.isoformat()
        answer_json({"valid": True, "valid_from": valid_from, "digest": contract.digest, **held})
        return
    counts = ", ".join(f"{count} {name}" for name, count in held.items())
    answer(f"Valid from {contract.valid_from}: {counts}. Digest {contract.digest}")


@app.command("explain")
def explain_policy(
    event: Annotated[Path, typer.Option("--event", help="One event, a structured CloudEvent; - for standard input.")],
    party: Annotated[str, typer.Option("--as", help="The party that would receive it, such as sof.")],
    case_log: Annotated[
        Path | None,
        typer.Option(help="What the case has heard before: accepted events as JSON lines, oldest first."),
    ] = None,
    policies: Policies = None,
    as_json: Json = False,
) -> None:
    """Say what a party would get of an event, and which rule released or withheld it on which ground.

    Works offline. Lines of the case log may carry `recordedtime`, when the bus took them. Exit code 0: the
    party gets a view; 1: it gets none, or the event is refused.
    """
    bus = PaperBus(contracts(policies))
    for number, verdict in hear_all(bus, read(case_log) if case_log else b""):
        if isinstance(verdict, Refusal):
            note(f"Line {number} of the case log would be refused ({verdict.reason}) and is passed over.")
    admitted = bus.take(read(event))
    if isinstance(admitted, Refusal):
        _refused(admitted, as_json=as_json)
    contract = bus.contracts.named(admitted.seal.contract)
    if party not in contract.parties:
        raise UsageError("--as names no party of the contract.")
    told = explain(contract, bus.state_of(admitted), admitted, party)
    if isinstance(told.verdict, Refusal):
        _refused(told.verdict, as_json=as_json)
    (answer_json(told.body()) if as_json else _show(told))
    raise typer.Exit(NO if told.view is None else 0)


def _refused(refusal: Refusal, *, as_json: bool) -> NoReturn:
    if as_json:
        answer_json({"verdict": refusal.body(), "view": None, "rules": []})
    else:
        answer(f"The event is refused: {why(refusal.reason, refusal.paths)}. Nobody gets a view of it.")
    raise typer.Exit(NO)


def _show(told: Explanation) -> None:
    if told.view is None:
        answer(f"{told.party} gets no view of this event.")
    else:
        names = sorted({*told.view.data["fields"], *told.view.data["refs"], *told.view.data["case_refs"]})
        answer(f"{told.party} gets a view: {', '.join(names) or 'that something happened, and nothing else'}.")
    if not told.ruled:
        said_before = isinstance(told.verdict, Accepted) and told.verdict.duplicate
        answer("The case log holds it already." if said_before else "No rule speaks of this type of event.")
        return
    for ruled in sorted(told.ruled, key=lambda ruled: ruled.said not in TELLING):
        needs = f" ({', '.join(ruled.predicates)})" if ruled.predicates else ""
        answer(f"\n{ruled.rule}: {_says(ruled)}")
        answer(f"    to {ruled.to}; gate {ruled.gate}{needs}; basis: {ruled.basis}")


def _says(ruled: Ruled) -> str:
    if ruled.said == "withheld":
        return f"withheld, {ruled.reason}"
    if ruled.said == "released":
        return f"released {', '.join((*ruled.fields, *ruled.refs, *ruled.case_refs)) or 'a marker'}"
    return SAYING[ruled.said]
