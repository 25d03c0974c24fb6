"""The citizen's page in a browser: it fits a desk and a phone, says nothing to the console, and fetches nothing."""

from pathlib import Path

import pytest

from tests.browser import DESK, PHONE, chromium, opened
from tests.unit.test_audit_citizen import account, cases


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("dark", [False, True])
async def test_it_fits_and_stands_alone(tmp_path: Path, size: tuple[int, int], *, dark: bool) -> None:
    file = tmp_path / "page.html"
    file.write_text(account(cases()[0], citizen=True), encoding="utf-8")
    async with chromium() as browser, opened(browser, size, dark=dark) as watched:
        await watched.page.goto(file.as_uri())
        assert await watched.page.get_by_role("heading", level=1).count() == 1
        assert not await watched.overflows()
        assert watched.faults == []
        assert watched.origins <= {"file://"}
