"""Several tabs of one browser: all in step, over one connection; one of them speaks, one listens."""

import asyncio

import pytest
from playwright.async_api import BrowserContext, Page, Request

from tests.support.page_browser import answered, open_page, write
from tests.support.page_talk import TalkPage, another_tab, record, sounds
from tests.support.waiting import until

pytestmark = pytest.mark.slow

TABS = 7
"""More than the connections that browsers make to one host (HTTP/1.1)."""


def streams(context: BrowserContext) -> list[Request]:
    """Collect the event streams that tabs ask for."""
    asked: list[Request] = []
    context.on("request", lambda request: asked.append(request) if "/api/events" in request.url else None)
    return asked


async def test_seven_questions_in_seven_tabs_wait_for_no_connection(tab: Page, june: TalkPage) -> None:
    june.engines.pause = 0.2
    asked = streams(tab.context)
    tabs = [tab, *[await another_tab(tab, june.url) for _ in range(TABS - 1)]]
    await asyncio.gather(*(write(each, f"question {number}") for number, each in enumerate(tabs)))
    for each in tabs:
        await answered(each, TABS)
    shown = [sorted(await each.locator(".said").all_inner_texts()) for each in tabs]
    assert shown == [[f"question {number}" for number in range(TABS)]] * TABS
    assert asked == []  # the first had its stream before


async def test_stop_needs_no_free_connection(tab: Page, june: TalkPage) -> None:
    june.engines.pause, june.engines.sentences = 1.0, 20
    tabs = [tab, *[await another_tab(tab, june.url) for _ in range(TABS - 1)]]
    for number, each in enumerate(tabs):
        await write(each, f"question {number}")
    await tabs[-1].wait_for_selector(f":nth-match(.turn, {TABS})")  # what is asked after Stop is answered
    await tabs[-1].wait_for_selector(".answer:not(:empty)")
    await tabs[-1].locator("#stop").click()
    for each in tabs:
        await answered(each, TABS)


async def test_another_tab_leads_when_the_first_is_closed(tab: Page, june: TalkPage) -> None:
    asked = streams(tab.context)
    second, third = await another_tab(tab, june.url), await another_tab(tab, june.url)
    await tab.close()
    await until(lambda: len(asked) == 1)
    await write(second, "Hello")
    await answered(second, 1)
    await answered(third, 1)


async def test_a_leader_that_sleeps_is_replaced(tab: Page, june: TalkPage) -> None:
    """A telephone freezes tabs in the background, with all that they hold."""
    second = await another_tab(tab, june.url)
    await tab.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
    third = await another_tab(second, june.url)
    await write(third, "Hello")
    await answered(third, 1)
    await answered(second, 1)


async def test_what_one_tab_does_all_tabs_show(tab: Page, june: TalkPage) -> None:
    other = await another_tab(tab, june.url)
    await record(tab)
    await answered(other, 1)
    assert await other.locator(".said").inner_text() == "Question 1."
    await write(tab, "/new")
    await other.locator(".divider, .aside").wait_for()
    await other.locator("#open-settings").click()
    await other.locator("#reply-mode").select_option("always")
    await other.locator("#language").select_option("de")
    await tab.locator("#open-settings").click()
    await until(lambda: value(tab, "#reply-mode", "always"))
    await until(lambda: value(tab, "#language", "de"))
    for voice in ("de_DE-thorsten-medium", ""):
        await other.locator("#voice").select_option(voice)
        await until(lambda voice=voice: value(tab, "#voice", voice))


async def value(tab: Page, field: str, wanted: str) -> bool:
    return await tab.locator(field).input_value() == wanted


async def test_what_is_deleted_in_one_tab_is_gone_in_all(tab: Page, june: TalkPage) -> None:
    other = await another_tab(tab, june.url)
    await record(tab)
    await answered(other, 1)
    tab.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await tab.locator("#open-settings").click()
    await tab.locator("#forget").click()
    for each in (tab, other):
        await each.locator(".divider, .aside").wait_for()
        assert await each.locator(".turn").count() == 0
    kept = await other.evaluate("async () => (await (await import('/static/takes.js')).openTakes()).list()")
    assert kept == []


async def test_the_tab_that_asked_speaks_and_any_tab_stops_it(tab: Page, june: TalkPage) -> None:
    june.engines.sentences, june.engines.seconds, june.engines.pause = 8, 1.5, 0.5
    other = await another_tab(tab, june.url)
    await tab.bring_to_front()
    await record(tab)
    await sounds(tab)
    assert await other.evaluate("Math.max(...levels.map(([, level]) => level))") == 0
    await other.locator("#stop").click()
    await tab.wait_for_selector("body[data-state=idle]")
    await tab.wait_for_selector(".turn .stopped:visible")


async def test_without_locks_each_tab_has_a_stream_of_its_own(tab: Page, june: TalkPage) -> None:
    """As on a page that is reached by http from another machine."""
    asked = streams(tab.context)
    await tab.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    other = await tab.context.new_page()
    await open_page(other, june.url)
    assert len(asked) == 1
    await write(other, "Hello")
    await answered(other, 1)
    await answered(tab, 1)
