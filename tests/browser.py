"""The system's Chromium, driven by playwright: what a page says to its console is kept, and errors fail the test."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Page, Response, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)


@dataclass(slots=True)
class Watched:
    """A page and what went wrong on it: console errors and warnings, exceptions, answers from elsewhere."""

    page: Page
    faults: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)

    async def overflows(self) -> bool:
        """Whether one would have to scroll sideways."""
        wide: bool = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return wide


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the browser of this machine."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "Chromium is missing: make test installs it, or install the package chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(browser: Browser, size: tuple[int, int] = DESK, *, dark: bool = False) -> AsyncIterator[Watched]:
    """Open an empty page, in a session of its own."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale="da-DK",
        timezone_id="Europe/Copenhagen",
        is_mobile=size[0] < 500,
        device_scale_factor=2 if size[0] < 500 else 1,
    )
    page = await context.new_page()
    page.set_default_timeout(15_000)
    watched = Watched(page)
    page.on("console", lambda said: watched.faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: watched.faults.append(str(error)))
    page.on("response", lambda answer: _note(watched, answer))
    try:
        yield watched
    finally:
        await context.close()


def _note(watched: Watched, answer: Response) -> None:
    watched.origins.add("/".join(answer.url.split("/")[:3]))
