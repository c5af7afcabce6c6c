"""What the page shows, without what it does: june's page with a script of the test's own in place of ``main.js``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from playwright.async_api import Browser, Page, Route
from temporalio.client import Client

from bots.web.app import build_app
from tests.support.page_browser import is_fault
from tests.support.page_client import page_of
from workers.http import listen, serving

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
HISTORY = """
const turn = (n) => ({ at: 1795651060 + 9000 * n, speech: [], done: true, notice: null, total_ms: 900, link: "http://localhost/",
  transcript: `Question ${n}`, answer: "An **answer**.\\n\\n".repeat(1 + n % 4) });
for (let n = 0; n < 12; n++) new view.TurnCard({}).update(turn(n));
"""
SCRIPT = """
import * as view from "./view.js";
import { MarkdownView } from "./markdown.js";
import { text, translate } from "./texts.js";

translate();
await new Promise((resolve) => setTimeout(resolve, 100)); // a server has answered
Object.assign(window, { view, MarkdownView, text, cards: [], events: [] });
for (const kind of ["click", "june:ask", "submit"]) {
  document.addEventListener(kind, (event) => events.push([kind, event.target.id ?? "", event.detail?.text ?? ""]));
}
document.addEventListener("submit", (event) => event.preventDefault());
view.clear();
/* history */
document.getElementById("dock").hidden = false;
document.documentElement.dataset.ready = "yes";
"""


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Serve the page's files as june does; yields the page's address."""
    with listen("127.0.0.1", 0, str) as listener:
        async with serving(build_app(page_of(cast("Client", None))), listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@asynccontextmanager
async def view_page(
    browser: Browser,
    url: str,
    device: str = "desktop",
    scheme: str = "light",
    *,
    history: bool = False,
    **options: object,
) -> AsyncIterator[Page]:
    """Open the page, empty or with a history; its scripts find ``view``, the module, and ``cards``, a list.

    Further options are those of the browser's context.
    """
    settings = DEVICES[device] | {"color_scheme": scheme, "locale": "en-GB"} | options
    async with await browser.new_context(**settings) as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_fault(said) else None)
        script = SCRIPT.replace("/* history */", HISTORY if history else "")
        await page.route("**/static/main.js", partial(_fulfil, script))
        await page.goto(url)
        await page.wait_for_selector("html[data-ready]", timeout=20_000)
        yield page
        assert complaints == []


async def _fulfil(script: str, route: Route) -> None:
    await route.fulfill(body=script, content_type="text/javascript")
