"""A release as files: rows for a spreadsheet, and a page in Danish that needs no script. Both from the record alone."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from consumers.statistics import danish
from consumers.statistics.network import Dimension
from consumers.statistics.tables import POPULATION, Population

HEADER = ("year", "population", "row", "row_value", "column", "column_value", "number")


def rows(body: bytes) -> str:
    """Return a release as CSV (RFC 4180), one line a number: empty where it is hidden; a sum has fewer values."""
    told = orjson.loads(body)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for population in told["populations"]:
        for count in population["counts"]:
            by = [part for pair in count["by"].items() for part in pair]
            writer.writerow((told["year"], population["name"], *by, *[""] * (4 - len(by)), count["number"]))
    for median in told["medians"]:
        writer.writerow((told["year"], "median_days", "until", median["stretch"], "", "", median["days"]))
    return text.getvalue()


def page(body: bytes) -> str:
    """Return a release as HTML."""
    told = orjson.loads(body)
    environment = Environment(
        loader=PackageLoader("consumers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("statistics.html").render(
        year=told["year"],
        least=told["least"],
        base=told["base"],
        sections=[_section(population) for population in told["populations"]],
        medians=[{"title": danish.STRETCHES[one["stretch"]], "days": one["days"]} for one in told["medians"]],
    )


def _section(told: Mapping[str, Any]) -> dict[str, Any]:
    population = POPULATION[told["name"]]
    numbers = {frozenset(count["by"].items()): count["number"] for count in told["counts"]}
    several = bool(population.dimensions) and not population.sums
    return {
        "title": danish.TITLES[population.name],
        "notes": [*filter(None, [danish.NOTES.get(population.name), danish.SEVERAL if several else None])],
        "tables": [_table(population, table, numbers) for table in population.tables],
        "hidden": all(number is None for number in numbers.values()),
    }


Numbers = Mapping[frozenset[tuple[str, str]], int | None]


def _table(population: Population, given: tuple[Dimension, ...], numbers: Numbers) -> dict[str, Any]:
    """Lay a table out: one row a value of the longer dimension, one column a value of the other."""
    table = sorted(given, key=lambda dimension: -len(dimension.values))
    lines = [*table[0].values, *_sum(population)] if table else [""]
    columns = [*table[1].values, *_sum(population)] if len(table) > 1 else [""]
    row_name, column_name = (*(d.name for d in table), "", "")[:2]
    return {
        "caption": " og ".join(danish.DIMENSIONS[d.name].lower() for d in table),
        "corner": danish.DIMENSIONS.get(row_name, ""),
        "columns": [_label(column) if len(table) > 1 else "Antal" for column in columns],
        "rows": [
            {
                "label": _label(line),
                "sum": not line,
                "numbers": [numbers[_by((row_name, line), (column_name, column))] for column in columns],
            }
            for line in lines
        ],
    }


def _sum(population: Population) -> Iterable[str]:
    return ("",) if population.sums else ()


def _label(value: str) -> str:
    return danish.VALUES[value] if value else "I alt"


def _by(*pairs: tuple[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for pair in pairs if pair[1])
