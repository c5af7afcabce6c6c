"""Temporal's Web UI as a person sees it, in a browser."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Error, Frame, Page, ViewportSize

VIEW: ViewportSize = {"width": 1400, "height": 860}
TIMEOUT_MS = 60_000
LOOK_SECONDS = 0.3


class WebUi:
    """Opens pages of workflows; pictures of them, if wanted, go to a folder."""

    def __init__(self, browser: Browser, url: str, pictures: Path | None = None) -> None:
        """Look at the Web UI at ``url``."""
        self._browser = browser
        self._workflows = f"{url}/namespaces/default/workflows"
        self._pictures = pictures

    async def details(self, workflow_id: str, shows: str, picture: str) -> str:
        """Read a workflow's current details, which show at least this text."""
        return await self._look(workflow_id, "user-metadata", shows, picture)

    async def relationships(self, workflow_id: str, shows: str, picture: str) -> str:
        """Read what a workflow is the parent of."""
        return await self._look(workflow_id, "relationships", shows, picture)

    async def list(self, shows: str, picture: str, query: str = "") -> str:
        """Read the list of workflows, of those that the query selects."""
        page = await self._browser.new_page(viewport=VIEW)
        # The page never falls silent, as it asks for news all the time: what is waited for is the text.
        await page.goto(f"{self._workflows}?query={quote(query)}", wait_until="domcontentloaded")
        return await self._read(page, shows, picture)

    async def _look(self, workflow_id: str, tab: str, shows: str, picture: str) -> str:
        page = await self._browser.new_page(viewport=VIEW)
        await page.goto(f"{self._workflows}/{quote(workflow_id, safe='')}", wait_until="domcontentloaded")
        await page.wait_for_url("**/timeline*", timeout=TIMEOUT_MS)  # it finds the run by itself
        await page.goto(page.url.rsplit("/", 1)[0] + f"/{tab}", wait_until="domcontentloaded")
        return await self._read(page, shows, picture)

    async def _read(self, page: Page, shows: str, picture: str) -> str:
        text = ""
        async with asyncio.timeout(TIMEOUT_MS / 1000):
            while shows not in text:
                await asyncio.sleep(LOOK_SECONDS)
                text = await _text(page)
        if self._pictures:
            await page.screenshot(path=self._pictures / f"{picture}.png")
        await page.close()
        return text


async def _text(page: Page) -> str:
    """Read what the page shows; Markdown is in frames of its own."""
    return "\n".join([await _text_of(frame) for frame in page.frames])


async def _text_of(frame: Frame) -> str:
    try:
        return await frame.locator("body").inner_text(timeout=1000)
    except Error:  # the page makes its frames anew now and then: the next look finds the new one
        return ""
