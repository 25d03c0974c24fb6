"""`samspil follow` and `samspil refusals`: what a party is told, over its own Kafka login."""

from typing import Annotated, Any

import orjson
import typer

from consumers.subscriber import Subscriber
from deploy import settings
from deploy.cli import reach
from deploy.cli.console import Json, answer, answer_json, note
from deploy.cli.verdict_lines import tell
from schemas.envelope import TYPE_PREFIX, TYPE_SUFFIX


def follow(
    party: reach.As,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest view that is kept (two weeks).")
    ] = False,
    idle: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="End after so many seconds without a view.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the views that a party receives, as they come. Ctrl-C ends it."""
    reach.require_party(party)
    reach.run(_follow(party, from_beginning=from_beginning, idle=idle, as_json=as_json))


async def _follow(party: str, *, from_beginning: bool, idle: float | None, as_json: bool) -> None:
    listening = await Subscriber(party, reach.ear(settings.load(), party)).listen(from_beginning=from_beginning)
    since = "from the oldest view that is kept" if from_beginning else "to what comes from now on"
    note(f"Listening as {party} {since}." + ("" if idle is not None else " Ctrl-C ends it."))
    try:
        async for view in listening.views(idle=idle):
            (answer_json(view) if as_json else answer(_line(view)))
    finally:
        await listening.stop()


def _line(view: dict[str, Any]) -> str:
    data = view["data"]
    name = view["type"].removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    parts = [f"{field}={_value(value)}" for field, value in data["fields"].items()]
    refs = [*data["refs"], *data["case_refs"]]
    grounds = ", ".join(ground["rule"] for ground in data["grounds"])
    shown = " ".join((*parts, *([f"refs: {', '.join(refs)}"] if refs else [])))
    return f"{view['time']}  {view.get('subject', '-')}  {name}  {shown}  [{grounds}]"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_value, value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def refusals(party: reach.As, as_json: Json = False) -> None:
    """Show what a party said that was refused, and why: the last two weeks, oldest first."""
    reach.require_party(party)
    reach.run(_refusals(party, as_json=as_json))


async def _refusals(party: str, *, as_json: bool) -> None:
    count = 0
    async for verdict in Subscriber(party, reach.ear(settings.load(), party)).refusals():
        tell(verdict, as_json=as_json)
        count += 1
    note(f"{count} refused.")
