"""Every name by which anything can be said to samspil or asked of it, with the place where it stands.

Events, parties, receipts, the overview, tables, HTTP routes with their parameters, commands with their options.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import typer
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from consumers import overview_routes, vault_routes, views_routes
from deploy import http_app
from deploy.cli import main
from deploy.http_front import HttpMetrics
from deploy.readiness import Readiness
from producers import gateway
from schemas.contract import Contract
from schemas.contract_words import KINDS
from schemas.field_type import field_type
from schemas.log_events import FIELDS, LogEvent
from schemas.overview import KEPT, CaseRow
from schemas.views import Receipt
from tests.contracts import ROOT

Word = tuple[str, str]  # place, name
TABLE = re.compile(r"CREATE TABLE (\S+) \((.*?)^\);", re.DOTALL | re.MULTILINE)
COLUMN = re.compile(r'^ +"?([a-z_]+)', re.MULTILINE)
ADDED = re.compile(r'ALTER TABLE (\S+)\s+ADD COLUMN "?([a-z_]+)')
MORE_ROUTES: tuple[APIRouter, ...] = ()
_NOTHING: Any = None


def words(given: Contract) -> frozenset[Word]:
    """Return all of them."""
    return frozenset((*_said(given), *_kept(), *_asked()))


def tokens(name: str) -> frozenset[str]:
    """Return the single words of a name."""
    return frozenset(re.findall(r"[a-z0-9]+", name.lower()))


def _said(given: Contract) -> Iterator[Word]:
    for type_ in given.types.values():
        yield "event", type_.name
        for field in type_.fields.values():
            yield "field", field.name
            yield from ((f"value of {field.name}", value) for value in field_type(field.type).values)
    yield from (("kind of party", kind) for kind in KINDS)
    yield from (("party", party) for party in given.parties)


def _kept() -> Iterator[Word]:
    yield from (("receipt", field) for field in Receipt.__struct_fields__)
    yield from (("overview", field.name) for field in fields(CaseRow))
    yield from (("overview", name) for names in KEPT.values() for name in names)
    yield from (("log", name) for name in (*FIELDS, *LogEvent))
    yield from ((f"table {table}", column) for table, columns in tables().items() for column in columns)


def _asked() -> Iterator[Word]:
    yield from (("route", part) for path in routes() for part in path.split("/"))
    yield from (("parameter", name) for name in _parameters())
    yield from _commands(typer.main.get_command(main.app))


def tables() -> dict[str, set[str]]:
    """Return the columns of every table, from the migrations."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("*/sql/migrations/*.sql")))
    found = {name: set(COLUMN.findall(body)) for name, body in TABLE.findall(text)}
    for name, column in ADDED.findall(text):
        found[name].add(column)
    return found


def routes() -> frozenset[str]:
    """Return the path of every HTTP route."""
    return frozenset(_paths(_application().routes))


def _paths(found: Iterable[BaseRoute]) -> Iterator[str]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route.path
        elif included := getattr(route, "original_router", None):  # how the framework keeps a router in another
            yield from _paths(included.routes)


def _parameters() -> Iterator[str]:
    for path in _application().openapi()["paths"].values():
        for operation in path.values():
            yield from (parameter["name"] for parameter in operation.get("parameters", ()))


def _application() -> FastAPI:
    guard: Any = lambda *_: lambda: None  # noqa: E731 - a stand-in for a dependency
    made = (
        gateway.router(_NOTHING, guard),
        vault_routes.router(_NOTHING, guard, frozenset),
        views_routes.router(_NOTHING, guard, 30),
        overview_routes.router(_NOTHING, _NOTHING, _NOTHING, {}),
        *MORE_ROUTES,
    )
    return http_app.application(made, Readiness(_NOTHING, _NOTHING), HttpMetrics())


def _commands(command: Any, name: str = "") -> Iterator[Word]:
    for parameter in command.params:
        yield from ((f"option of {name}", option) for option in (parameter.name or "", *parameter.opts))
    for own, part in getattr(command, "commands", {}).items():
        full = f"{name} {own}".strip()
        yield "command", full
        yield from _commands(part, full)
