"""The disclosures of a case as a page that a citizen can read in Danish: one file, without script, to keep or print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from consumers.audit import danish
from consumers.audit.disclosures import Disclosure
from consumers.audit.knowledge import Known
from schemas.contract import CITY, Contract, Contracts

_MONTHS: tuple[str, ...] = ("januar", "februar", "marts", "april", "maj", "juni")
_MONTHS += ("juli", "august", "september", "oktober", "november", "december")


@dataclass(frozen=True, slots=True)
class Ending:
    """That a case was erased: when (RFC 3339), and why where it can be told."""

    at: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """What a page tells: of one case, to a citizen or an auditor, as of a time."""

    case: str
    citizen: bool
    rows: Sequence[Disclosure]
    known: Sequence[Known]
    ending: Ending | None
    whole: bool  # whether the log was read: without it nothing is known of what was called back
    made_at: datetime


def page(contracts: Contracts, account: Account) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("consumers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = _Words(contracts)
    ending = account.ending
    return environment.get_template("disclosures.html").render(
        account=account,
        made_at=when(account.made_at.isoformat()),
        groups=[words.group(title, rows) for title, rows in _groups(account.rows)],
        known=words.known(account.known),
        erased_at=when(ending.at) if ending else None,
        erased_why=danish.ERASURES.get(ending.reason or "") if ending else None,
    )


def when(time: str) -> str:
    """Return an instant as it is said in the city: 3. marts 2026 kl. 10.15."""
    at = datetime.fromisoformat(time).astimezone(CITY)
    return f"{at.day}. {_MONTHS[at.month - 1]} {at.year} kl. {at:%H.%M}"


def _groups(rows: Iterable[Disclosure]) -> list[tuple[tuple[str, str], list[Disclosure]]]:
    everything = list(rows)
    parts = (
        ("Hvad der er videregivet", "Intet er videregivet.", {"released"}),
        ("Hvem der har åbnet oplysninger i boksen", "Ingen har åbnet noget.", {"read", "read_refused"}),
        ("Hvad der er holdt tilbage", "Intet er holdt tilbage.", {"withheld"}),
    )
    return [((title, empty), [row for row in everything if row.outcome in of]) for title, empty, of in parts]


class _Words:
    """Says the contract's words in Danish; a word that has none stays as it is."""

    def __init__(self, contracts: Contracts) -> None:
        self._parties = {id_: party.da for id_, party in contracts.parties.items()}
        self._types = {name: type_.da for contract in contracts.all for name, type_ in contract.types.items()}
        self._forums = _forums(contracts.newest)

    def group(self, title: tuple[str, str], rows: Iterable[Disclosure]) -> dict[str, Any]:
        return {"title": title[0], "empty": title[1], "rows": [self._row(row) for row in rows]}

    def known(self, known: Sequence[Known]) -> list[dict[str, Any]]:
        first = {event: place for place, event in reversed([*enumerate(one.event for one in known)])}

        def by_event(one: Known) -> tuple[int, str, str]:
            return first[one.event], one.standing, one.type or ""

        return [
            {
                "party": self._parties.get(party, party),
                "lines": [
                    {
                        "event": self._type(type_ or None),
                        "standing": danish.STANDINGS[standing],
                        "names": _names([(one.name, one.readable) for one in some]),
                    }
                    for (_, standing, type_), some in groupby(sorted(own, key=by_event), by_event)
                ],
            }
            for party, own in groupby(known, lambda one: one.recipient)
        ]

    def _type(self, name: str | None) -> str:
        return "Hændelse" if name is None else self._types.get(name, name)

    def _row(self, row: Disclosure) -> dict[str, Any]:
        return {
            "time": when(row.time),
            "machine": row.time,
            "party": self._parties.get(row.recipient, row.recipient),
            "reader": "en medarbejder" if row.actor is None else f"medarbejder {row.actor}",
            "is_read": row.outcome in {"read", "read_refused"},
            "outcome": danish.OUTCOMES.get(row.outcome, row.outcome),
            "event": self._type(row.type),
            "names": _names([(name, False) for name in (*row.fields, *row.refs)]),
            "grounds": [
                {
                    "gate": danish.GATES.get(ground.gate or "", ground.gate or ground.rule),
                    "basis": self._forums if ground.basis == "by_forum" else ground.basis or "ukendt",
                    "failed": danish.REASONS.get(ground.failed, ground.failed) if ground.failed else None,
                }
                for ground in row.grounds
            ],
        }


def _names(names: Iterable[tuple[str, bool]]) -> list[str]:
    return [danish.FIELDS.get(name, name) + (" (kan åbnes)" if opens else "") for name, opens in names if name]


def _forums(contract: Contract) -> str:
    return "grundlaget for mødet: " + " / ".join(sorted({forum.basis for forum in contract.forums.values()}))
