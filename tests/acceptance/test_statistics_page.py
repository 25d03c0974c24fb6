"""A release's page in a browser: it fits a desk and a phone, stands alone, and every number has its headings."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from consumers.statistics.network import Key
from consumers.statistics.publication import page
from consumers.statistics.release import release
from consumers.statistics.tables import POPULATIONS
from tests.browser import DESK, NARROW, chromium, opened


def _body() -> bytes:
    """A year in which every table has something to show and something to hide."""
    kept: dict[str, Counter[Key]] = defaultdict(Counter)
    for population in POPULATIONS:
        for place in range(200):
            values = {d.name: d.values[min(place % 7, len(d.values) - 1)] for d in population.dimensions}
            kept[population.name].update(population.keys_of(values))
    return release(2026, kept, {"screening": {3: 20}})


@pytest.mark.parametrize("size", [DESK, NARROW])
async def test_it_fits_and_every_number_has_its_headings(tmp_path: Path, size: tuple[int, int]) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(_body()), encoding="utf-8")
    async with chromium() as browser, opened(browser, size) as watched:
        await watched.page.goto(file.as_uri())
        assert await watched.page.get_by_role("heading", level=1).count() == 1
        tables = 1 + sum(len(population.tables) for population in POPULATIONS)
        assert await watched.page.get_by_role("table").count() == tables
        assert await watched.page.get_by_role("rowheader").count() > 70
        assert await watched.page.get_by_role("cell", name="skjult").count() > 10
        assert not await watched.overflows()
        assert watched.faults == []
        assert watched.origins <= {"file://"}
