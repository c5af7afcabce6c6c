"""The web page by keyboard, by screen reader, on a phone, in the dark, without a microphone, behind a password."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route
from pydantic import SecretStr

from tests.support.page_browser import answered, as_microphone, hold, launched, marks, open_page, picture, write
from tests.support.ports import free_port
from tests.support.waiting import until
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, StorageSettings, WebSettings, WorkerSettings

pytestmark = pytest.mark.e2e

SPEECH = PROJECT / "tests" / "data" / "living_room_light_en.wav"
HEARD, ANSWER = "This is a question.", "This is an answer."
"""What engines that do nothing hear and say."""
NAMELESS = """
() => [...document.querySelectorAll("button, a, input, select, dialog, section, form")]
  .filter(e => e.checkVisibility())
  .filter(e => !["SECTION", "FORM"].includes(e.tagName) || e.hasAttribute("role"))
  .filter(e => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.labels?.length
    || e.textContent.trim()))
  .map(e => e.outerHTML)
"""
CONTRAST = """
() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const backdrop = e => {
    if (!e) return [255, 255, 255];
    const own = parse(getComputedStyle(e).backgroundColor);
    return (own[3] ?? 1) === 1 ? own : over(own, backdrop(e.parentElement));
  };
  return [...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.matches(".unseen"))
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => {
      const [a, b] = [light(over(parse(getComputedStyle(e).color), backdrop(e))), light(backdrop(e))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.textContent.trim().slice(0, 40)];
    }).filter(([ratio]) => ratio < 4.5);
}
"""


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """The page and all behind it, with engines that do nothing."""
    async for running in stacks(tmp_path_factory.mktemp("web"), ""):
        yield running


async def stacks(folder: Path, password: str) -> AsyncIterator[Embedded]:
    ports = own_ports()
    web = WebSettings(port=free_port(), password=SecretStr(password))
    nothing = WorkerSettings(engines="none")
    async with Embedded(StorageSettings(home=folder), ports, work=nothing, web=web, optional=(Role.WEB,)) as stack:
        yield stack


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser that hears a sentence whenever its microphone is opened."""
    microphone = tmp_path_factory.mktemp("microphone") / "speech.wav"
    as_microphone(SPEECH.read_bytes(), microphone)
    async with launched(microphone) as browser:
        yield browser


@pytest.fixture
async def page(stack: Embedded, browser: Browser) -> AsyncIterator[Page]:
    """The page, in a browser that has never seen it; its scripts must not complain."""
    async with await browser.new_context(viewport={"width": 375, "height": 812}, locale="en-GB") as context:
        page = await context.new_page()
        complaints = await open_page(page, stack.web_url or "")
        yield page
        assert complaints == []


async def test_by_keyboard_alone(page: Page) -> None:
    await page.keyboard.press("Tab")
    assert await focused(page) == "skip"
    await page.keyboard.press("Enter")
    await page.locator("#talk").focus()
    await page.keyboard.down("Space")
    await page.wait_for_selector("body[data-state=speaking-user]")
    assert await page.locator("#talk").get_attribute("aria-pressed") == "true"
    await page.wait_for_timeout(1000)
    await page.keyboard.up("Space")
    await answered(page, 1)
    assert await page.locator("#talk").get_attribute("aria-pressed") == "false"
    assert await page.locator(".said").inner_text() == HEARD
    for _ in range(2):  # a tap begins, a tap ends
        await page.locator("#talk").press("Enter")
        await page.wait_for_timeout(800)
    await answered(page, 2)
    await page.wait_for_selector("body[data-state=idle]")
    await page.evaluate("document.querySelector('.skip').focus()")
    order = []
    for _ in range(17):
        await page.keyboard.press("Tab")
        order.append(await focused(page))
    turn = ["listen", "replay", "copy", "download", "ask", "details"]
    assert order == ["open-settings", *turn, *turn, "hands-free", "talk", "text", "send"]


async def sounded(page: Page) -> None:
    """Wait for sound, and for its end; there is one piece of it."""

    async def heard() -> bool:
        return "june:sound" in [name for name, _ in await marks(page)]

    await until(heard)
    await page.wait_for_selector("body[data-state=idle]")
    assert [name for name, _ in await marks(page)].count("june:sound") == 1


async def focused(page: Page) -> str:
    """Name the element that has the focus, by id or class."""
    return str(await page.evaluate("document.activeElement.id || document.activeElement.className.split(' ')[0]"))


async def test_escape_drops_a_recording(page: Page) -> None:
    await page.locator("#talk").press("Enter")
    await page.wait_for_selector("body[data-state=speaking-user]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("body[data-state=idle]")
    assert await page.locator(".turn").count() == 0


async def test_a_screen_reader_s_press_is_a_tap(page: Page) -> None:
    await page.evaluate("document.getElementById('talk').click()")
    await page.wait_for_selector("body[data-state=speaking-user]")
    await page.wait_for_timeout(800)
    await page.evaluate("document.getElementById('talk').click()")
    await answered(page, 1)


async def test_hold_to_talk_is_answered_with_sound(page: Page, tmp_path: Path) -> None:
    await hold(page, 1)
    await answered(page, 1)
    assert [await page.locator(f".{part}").inner_text() for part in ("said", "answer")] == [HEARD, ANSWER]
    await sounded(page)
    link = await page.locator(".details").get_attribute("href")
    assert link
    assert "/workflows/voice%2Fweb%2F" in link
    await picture(page, tmp_path, "phone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_has_a_name_and_enough_contrast(page: Page, tmp_path: Path, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await write(page, "Hello")
    await answered(page, 1)
    await picture(page, tmp_path, f"phone-{scheme}")
    found = [await page.evaluate(NAMELESS), await page.evaluate(CONTRAST)]
    await page.locator("#open-settings").click()
    await picture(page, tmp_path, f"settings-{scheme}")
    found += [await page.evaluate(NAMELESS), await page.evaluate(CONTRAST)]
    assert found == [[], [], [], []]
    assert await page.locator("[role=status][aria-live=polite]").count() == 1
    assert await page.get_by_role("log").count() == 1


@pytest.mark.parametrize("width", [320, 375, 1280])
async def test_it_fits(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 640})
    await write(page, "/help")
    await page.wait_for_selector(".aside")
    await write(page, "a_word_that_is_longer_than_any_line_" * 5)
    await answered(page, 1)
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.locator("#talk").is_visible()


async def test_settings_are_kept(page: Page) -> None:
    await page.locator("#open-settings").click()
    await page.locator("#reply-mode").select_option("always")
    await page.locator("#language").select_option("de")
    await page.wait_for_selector(":nth-match(.divider, 2)")
    await page.locator("#close-settings").click()
    await write(page, "Hello")
    await answered(page, 1)
    await sounded(page)
    await page.reload()
    await page.wait_for_selector("html[data-ready]")
    assert await page.locator("#reply-mode").input_value() == "always"
    assert await page.locator("#language").input_value() == "de"


async def test_it_speaks_the_reader_s_language(stack: Embedded, browser: Browser) -> None:
    async with await browser.new_context(locale="de-AT") as context:
        page = await context.new_page()
        await open_page(page, stack.web_url or "")
        assert await page.locator("#welcome .hello").inner_text() == "Hallo, ich bin june."
        assert await page.locator("html").get_attribute("lang") == "de"
        await write(page, "/new")
        assert (await page.locator(".divider, .aside").first.inner_text()).startswith("Wir fangen")


async def test_without_a_microphone_one_can_write(stack: Embedded) -> None:
    async with launched(allowed=False) as browser, await browser.new_context(locale="en") as context:
        page = await context.new_page()
        await open_page(page, stack.web_url or "")
        await page.locator("#talk").press("Enter")
        await page.wait_for_function("() => document.getElementById('status').textContent.includes('write to me')")
        await write(page, "Hello")
        await answered(page, 1)


async def test_what_was_not_taken_can_be_sent_again(page: Page) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=400)

    await page.route("**/api/messages**", refuse)
    await hold(page, 1)
    await page.wait_for_selector(".turn[data-state=draft]")
    await page.unroute("**/api/messages**")
    await page.get_by_role("button", name="Send", exact=True).first.click()
    await page.get_by_role("log").get_by_text(ANSWER).wait_for()
    assert await page.locator(".turn").count() == 1


async def test_a_killed_page_server_costs_only_time(page: Page, stack: Embedded) -> None:
    await write(page, "Hello")
    await answered(page, 1)
    os.kill(stack.pids["bot-web"], signal.SIGKILL)
    await write(page, "Are you there?")
    await answered(page, 2)
    assert await page.locator(".answer").all_inner_texts() == [ANSWER, ANSWER]
    await until(stack.ready, 30)


async def test_everything_can_be_deleted(page: Page) -> None:
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await write(page, "Hello")
    await answered(page, 1)
    await page.locator("#open-settings").click()
    await page.locator("#forget").click()
    await page.locator(".divider, .aside").wait_for()
    assert await page.locator(".turn").count() == 0

    async def gone() -> bool:
        await page.reload()
        await page.wait_for_selector("html[data-ready]")
        return await page.locator(".turn").count() == 0

    await until(gone, 30)


async def test_a_password_opens_it(browser: Browser, tmp_path: Path) -> None:
    async for locked in stacks(tmp_path / "home", "open sesame"):
        async with await browser.new_context(locale="en") as context:
            page = await context.new_page()
            await open_page(page, locked.web_url or "")
            await picture(page, tmp_path, "locked")
            await page.get_by_label("Password").fill("wrong")
            await page.keyboard.press("Enter")
            await page.get_by_text("That isn't the password.").wait_for()
            await page.get_by_label("Password").fill("open sesame")
            await page.keyboard.press("Enter")
            await page.locator("#talk").wait_for()
            await write(page, "Hello")
            await answered(page, 1)
