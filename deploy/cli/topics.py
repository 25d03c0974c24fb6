"""`samspil topics`: topics and rights as code, shown and applied."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.cli.console import Json, answer, answer_json, table
from deploy.settings import Settings, load
from schemas.contract_files import load_all
from schemas.rights import SERVICES, Right, rights
from schemas.topics import Topic, catalogue

app = typer.Typer(help="Topics and rights as code: show them, or bring Kafka to them.")


def _parties(settings: Settings) -> tuple[str, ...]:
    # Parties of older contracts keep their topics: their records outlive their membership.
    return tuple(sorted({party for contract in load_all(settings.policies).all for party in contract.parties}))


@app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: Json = False) -> None:
    """List the topics of the catalogue: partitions, purpose and settings. Asks no broker."""
    if context.invoked_subcommand is None:
        found = catalogue(_parties(load()))
        _show_json(found) if as_json else _show(found)


def _show_json(found: Iterable[Topic]) -> None:
    for topic in found:
        answer_json({**asdict(topic), "settings": dict(topic.settings)})


def _show(found: Iterable[Topic]) -> None:
    rows = [(topic.name, str(topic.partitions), topic.purpose) for topic in found]
    table(("TOPIC", "PARTITIONS", "PURPOSE"), rows)


@app.command("acls")
def acls(as_json: Json = False) -> None:
    """List who may do what on Kafka. What is not listed is denied."""
    allowed = rights(_parties(load()))
    if as_json:
        for right in allowed:
            answer_json(asdict(right))
        return
    table(("PRINCIPAL", "MAY", "ON", "NAME"), [_row(right) for right in allowed])


def _row(right: Right) -> tuple[str, str, str, str]:
    name = right.name + ("*" if right.pattern == "PREFIXED" else "")
    return (right.principal, right.operation.lower(), right.kind.lower(), name)


@app.command("apply")
def apply(
    replication: Annotated[
        int | None, typer.Option(min=1, max=9, help="Copies of each topic; without it, SAMSPIL_REPLICATION.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring Kafka to the catalogue: missing topics, other settings, users and rights. Repeatable.

    A broker whose settings may lose records, a topic with another number of partitions, and one with too few copies are
    refused before anything is changed.
    """
    from deploy import topics_admin  # here: listing needs no Kafka client

    settings = load()
    parties = _parties(settings)
    users = {name: settings.kafka(name).password for name in (*SERVICES, *parties)}
    wanted = topics_admin.Wanted(catalogue(parties), rights(parties), users)
    changes = topics_admin.apply(settings.kafka("admin"), wanted, replication or settings.replication)
    if as_json:
        answer_json(asdict(changes))
    else:
        answer(
            f"{len(wanted.topics)} topics: {changes.created} created, {changes.altered} altered. "
            f"{len(wanted.rights)} rights: {changes.granted} granted, {changes.revoked} revoked."
        )
