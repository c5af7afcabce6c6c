"""Holding, tapping, sliding; recordings that are cancelled, kept as drafts, or never sent by themselves."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, CDPSession, Page

from tests.support.page_browser import answered
from tests.support.page_talk import TalkPage, another_tab, record, recording, sounds, visit
from tests.support.waiting import until

pytestmark = pytest.mark.slow

IDLE = "body[data-state=idle]"
DRAFT = ".turn[data-state=draft]"


async def hide(tab: Page) -> None:
    """Have the tab believe that it is hidden."""
    await tab.evaluate("""() => {
        Object.defineProperty(document, "hidden", { value: true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")


async def lose_microphone(tab: Page) -> None:
    """Unplug the microphone."""
    await tab.evaluate("""() => {
        for (const stream of window.streams) for (const track of stream.getTracks()) {
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }
    }""")


async def keep_streams(tab: Page) -> None:
    """Have the test know the page's microphones."""
    await tab.evaluate("""() => {
        window.streams = [];
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await ask(wanted);
            window.streams.push(stream);
            return stream;
        };
    }""")


# Keys


async def test_space_talks_from_anywhere_but_a_control(tab: Page, june: TalkPage) -> None:
    await tab.evaluate("document.activeElement.blur()")
    await tab.keyboard.down("Space")
    await recording(tab, 0.8)
    await tab.keyboard.up("Space")
    await answered(tab, 1)
    await tab.wait_for_selector(IDLE)
    await tab.locator("#text").focus()
    await tab.keyboard.type("a b")
    assert await tab.locator("#text").input_value() == "a b"
    await tab.locator("#open-settings").focus()
    await tab.keyboard.press("Space")
    assert await tab.locator("#settings").is_visible()
    assert await tab.locator("body").get_attribute("data-state") == "idle"
    await tab.keyboard.press("Escape")
    assert not await tab.locator("#settings").is_visible()
    assert len(june.engines.heard) == 1


async def test_a_tap_begins_and_a_tap_ends(tab: Page) -> None:
    for _ in range(2):
        await tab.locator("#talk").press("Enter")
        await tab.wait_for_timeout(800)
    await answered(tab, 1)


async def test_escape_cancels_and_undo_brings_it_back(tab: Page, june: TalkPage) -> None:
    await tab.locator("#talk").press("Enter")
    await recording(tab, 1)
    assert await tab.locator("#cancel").is_visible()
    await tab.keyboard.press("Escape")
    await tab.wait_for_selector(IDLE)
    assert await tab.locator(".turn").count() == 0
    await tab.locator("#undo").click()
    await tab.wait_for_selector(DRAFT)
    assert not await tab.locator("#undo").is_visible()
    assert june.engines.heard == []
    await tab.locator(".submit").click()
    await answered(tab, 1)
    assert await tab.locator(DRAFT).count() == 0


async def test_what_is_cancelled_and_left_so_is_gone(tab: Page) -> None:
    await tab.locator("#talk").press("Enter")
    await recording(tab, 1)
    await tab.locator("#cancel").click()
    await tab.locator("#undo").wait_for()
    await tab.locator("#undo").wait_for(state="hidden", timeout=10_000)
    await tab.reload()
    await tab.wait_for_selector("html[data-ready]")
    assert await tab.locator(".turn").count() == 0


async def test_a_press_that_was_too_short_is_said_to_be(tab: Page, june: TalkPage) -> None:
    await tab.evaluate("""() => new Promise((done) => { // within the page, as this machine may be slow
        const talk = document.getElementById("talk");
        const press = () => ["keydown", "keyup"].forEach((type) => talk.dispatchEvent(
            new KeyboardEvent(type, { key: "Enter", bubbles: true, cancelable: true })));
        const look = () => document.body.dataset.state === "speaking-user" ? done(press()) : setTimeout(look, 1);
        press();
        look();
    })""")
    await tab.wait_for_function("() => document.getElementById('status').textContent.includes('little short')")
    assert (await tab.locator(".turn").count(), june.engines.heard) == (0, [])


# A finger


class Finger:
    """One finger on a screen, by Chromium's own protocol."""

    def __init__(self, session: CDPSession, x: float, y: float) -> None:
        self._session, self.x, self.y = session, x, y

    async def do(self, kind: str, left: float = 0, up: float = 0) -> None:
        points = [{"x": self.x - left, "y": self.y - up}] if kind in {"touchStart", "touchMove"} else []
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
async def phone(talk_browser: Browser, june: TalkPage) -> AsyncIterator[Page]:
    """A tab on a telephone."""
    size = {"width": 390, "height": 844}
    async with visit(talk_browser, june.url, viewport=size, has_touch=True, is_mobile=True) as tab:
        yield tab


@pytest.fixture
async def finger(phone: Page) -> Finger:
    """A finger over the talk button."""
    box = await phone.locator("#talk").bounding_box()
    assert box
    session = await phone.context.new_cdp_session(phone)
    return Finger(session, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


async def slides(phone: Page, where: str | None) -> None:
    """Wait until the page shows where the finger slides to."""

    async def shown() -> bool:
        return await phone.locator("body").get_attribute("data-slide") == where

    await until(shown, 10)


async def test_sliding_left_cancels_visibly(phone: Page, finger: Finger, june: TalkPage) -> None:
    await finger.do("touchStart")
    await recording(phone, 0.6)
    await slides(phone, "")
    await finger.do("touchMove", left=50)
    await slides(phone, "cancel")
    assert await phone.locator("#slide .to-cancel").is_visible()
    await finger.do("touchMove", left=10)
    await slides(phone, "")
    await finger.do("touchMove", left=90)
    await phone.wait_for_selector(IDLE)
    await slides(phone, None)
    assert await phone.locator("#undo").is_visible()
    await finger.do("touchEnd")
    assert (await phone.locator(".turn").count(), june.engines.heard) == (0, [])


async def test_sliding_up_locks(phone: Page, finger: Finger) -> None:
    await finger.do("touchStart")
    await recording(phone, 0.4)
    await finger.do("touchMove", up=40)
    await slides(phone, "lock")
    await finger.do("touchMove", up=70)
    await finger.do("touchEnd")
    await phone.wait_for_timeout(300)
    assert await phone.locator("body").get_attribute("data-state") == "speaking-user"
    await phone.locator("#talk").tap()
    await answered(phone, 1)


async def test_a_finger_that_the_system_takes_locks_and_sends_nothing(
    phone: Page, finger: Finger, june: TalkPage
) -> None:
    await finger.do("touchStart")
    await recording(phone, 0.5)
    await finger.do("touchCancel")
    await phone.wait_for_timeout(300)
    assert await phone.locator("body").get_attribute("data-state") == "speaking-user"
    assert june.engines.heard == []
    await phone.locator("#cancel").tap()
    await phone.wait_for_selector(IDLE)


async def test_a_finger_that_is_let_go_of_sends(phone: Page, finger: Finger) -> None:
    await finger.do("touchStart")
    await recording(phone, 0.8)
    await finger.do("touchEnd")
    await answered(phone, 1)


# What never sends by itself


@pytest.mark.parametrize("how", [hide, lose_microphone])
async def test_what_nobody_has_ended_is_a_draft(tab: Page, june: TalkPage, how: object) -> None:
    await keep_streams(tab)
    await tab.locator("#talk").press("Enter")
    await recording(tab, 1.2)
    await how(tab)  # type: ignore[operator] # one of the two above
    await tab.wait_for_selector(DRAFT)
    await tab.wait_for_selector(IDLE)
    await tab.reload()
    await tab.wait_for_selector(DRAFT)
    assert june.engines.heard == []
    await tab.locator(".listen").click()
    await sounds(tab)
    await tab.locator(".submit").click()
    await answered(tab, 1)
    assert await tab.locator(".turn").count() == 1
    await tab.reload()
    await answered(tab, 1)
    assert await tab.locator(".turn").count() == 1


async def test_a_lost_microphone_is_named(tab: Page) -> None:
    await keep_streams(tab)
    await tab.locator("#talk").press("Enter")
    await recording(tab, 0.8)
    await lose_microphone(tab)
    await tab.wait_for_function("() => document.getElementById('status').textContent.includes('Fake')")


async def test_a_draft_can_be_thrown_away(tab: Page, june: TalkPage) -> None:
    await tab.locator("#talk").press("Enter")
    await recording(tab, 0.8)
    await hide(tab)
    await tab.locator(".discard").click()
    assert await tab.locator(".turn").count() == 0
    await tab.reload()
    await tab.wait_for_selector("html[data-ready]")
    assert (await tab.locator(".turn").count(), june.engines.heard) == (0, [])


async def test_a_page_that_dies_leaves_a_draft(tab: Page, june: TalkPage) -> None:
    await tab.locator("#talk").press("Enter")
    await recording(tab, 2.5)
    await tab.reload()
    await tab.wait_for_selector(DRAFT)
    assert june.engines.heard == []


async def test_one_tab_records_and_the_other_shows_it_once_it_is_sent(tab: Page, june: TalkPage) -> None:
    other = await another_tab(tab, june.url)
    await tab.bring_to_front()
    await record(tab)
    await answered(other, 1)
    assert await other.locator(".recording").is_visible()
    await other.locator(".listen").click()
    await sounds(other)
    await until(lambda: len(june.engines.heard) == 1)
