"""A real browser: Debian's Chromium, without a screen."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: on Debian, apt-get install chromium, then run this test again"
)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
"""As root in a container, and without calls to anybody."""


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Run Chromium for as long as the block lasts, with further command-line arguments."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_flags(arguments))
        try:
            yield browser
        finally:
            await browser.close()


def _flags(arguments: Sequence[str]) -> list[str]:
    return [*QUIET, *arguments]
