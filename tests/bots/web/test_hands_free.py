"""Talking without touching anything, in Chromium with spoken microphones, over june's real workflows."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page
from temporalio.testing import WorkflowEnvironment

from tests.support.page_browser import answered, launched
from tests.support.page_talk import TalkPage, another_tab, first_sound, silent_after, sounds, visit
from tests.support.spoken_microphone import PEOPLE, Heard, conversation, speech
from tests.support.waiting import until

pytestmark = pytest.mark.slow
logger = logging.getLogger(__name__)

Talking = Callable[[Heard], AbstractAsyncContextManager[Page]]
SWITCH = "#hands-free"
LISTENING = "body[data-state=listening]"


@pytest.fixture
def talking(june: TalkPage, tmp_path: Path) -> Talking:
    """A tab whose microphone hears what a test wants, from when it is opened on."""

    @asynccontextmanager
    async def tab_that_hears(heard: Heard) -> AsyncIterator[Page]:
        heard.as_microphone(tmp_path / "microphone.wav")
        async with launched(tmp_path / "microphone.wav") as browser, visit(browser, june.url) as tab:
            yield tab

    return tab_that_hears


async def is_on(tab: Page) -> bool:
    return await tab.locator(SWITCH).get_attribute("aria-checked") == "true"


async def switched_on(tab: Page) -> None:
    await tab.locator(SWITCH).click()
    await tab.wait_for_function("() => performance.getEntriesByName('june:listening').length")


async def test_three_turns_without_touching_anything(talking: Talking, june: TalkPage) -> None:
    said = conversation(first=2.0, pause=9.0)
    async with talking(said) as tab:
        await switched_on(tab)
        await answered(tab, 3)
        assert await tab.locator(".said").all_inner_texts() == ["Question 1.", "Question 2.", "Question 3."]
        await tab.wait_for_selector(LISTENING)
        assert await tab.locator(".recording:visible").count() == 3
        assert await tab.locator(".stopped:visible").count() == 0
        assert await is_on(tab)
    spoken = [end - begin for begin, end in said.spoken]
    for seconds, true in zip(june.engines.heard, spoken, strict=True):
        assert true < seconds < true + 2  # whole, with the silence before and after


async def test_talking_over_june_ends_the_old_answer(talking: Talking, june: TalkPage) -> None:
    june.engines.sentences, june.engines.seconds, june.engines.pause = 20, 1.4, 0.2
    said = Heard(45).add(speech(PEOPLE[0]), 1.0)
    for at in (13.0, 22.0, 31.0):  # a slow machine answers late, and june must have been heard for three seconds
        said.add(speech(PEOPLE[1]), at)
    async with talking(said) as tab:
        await switched_on(tab)
        await sounds(tab)
        plain = await first_sound(tab, 1)
        await tab.wait_for_selector(".turn:nth-of-type(2)", state="attached")
        assert await silent_after(tab, "june:silence") < 100
        await tab.wait_for_selector(".stopped:visible")
        over = await first_sound(tab, 2)
        await tab.locator(SWITCH).click()
        await tab.locator("#stop").click()
    logger.info("first sound of a plain turn after %d ms, of one said over june after %d ms", plain, over)
    assert june.engines.heard[1] > said.spoken[1][1] - said.spoken[1][0]


async def test_june_does_not_answer_itself(talking: Talking, june: TalkPage) -> None:
    june.engines.sentences, june.engines.seconds = 4, 1.0
    async with talking(Heard(25).add(speech(PEOPLE[0]), 1.0)) as tab:
        await switched_on(tab)
        await answered(tab, 1)
        await tab.wait_for_selector(LISTENING)
        await tab.wait_for_timeout(1500)
        assert await tab.locator(".turn").count() == 1
        assert await tab.locator(".stopped:visible").count() == 0
        assert len(june.engines.heard) == 1


async def test_the_switch_ends_it_and_keeps_what_is_being_said(talking: Talking, june: TalkPage) -> None:
    async with talking(conversation(first=1.0, pause=0.1)) as tab:
        await switched_on(tab)
        await tab.wait_for_selector("body[data-state=speaking-user]")
        await tab.wait_for_timeout(800)
        await tab.locator(SWITCH).click()
        await tab.wait_for_selector(".turn[data-state=draft]")
        assert not await is_on(tab)
        assert june.engines.heard == []


async def test_one_tab_listens(talking: Talking, june: TalkPage) -> None:
    async with talking(Heard(30)) as tab:
        other = await another_tab(tab, june.url)
        await tab.bring_to_front()
        await switched_on(tab)
        await switched_on(other)
        await until(lambda: is_off(tab))
        assert await is_on(other)


async def is_off(tab: Page) -> bool:
    return not await is_on(tab)


async def test_after_a_minute_of_silence_it_is_off(talking: Talking) -> None:
    async with talking(Heard(30)) as tab:
        await tab.clock.install()
        await tab.locator(SWITCH).click()
        await tab.wait_for_selector(LISTENING)
        await tab.clock.fast_forward(50_000)
        assert await is_on(tab)
        await tab.clock.fast_forward(11_000)
        await until(lambda: is_off(tab))


async def test_a_hidden_tab_does_not_listen(talking: Talking) -> None:
    async with talking(Heard(30)) as tab:
        await switched_on(tab)
        await tab.evaluate("""() => {
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
        await until(lambda: is_off(tab))


async def test_a_press_talks_as_well(talking: Talking, june: TalkPage) -> None:
    async with talking(Heard(30)) as tab:
        await switched_on(tab)
        await tab.locator("#talk").press("Enter")
        await tab.wait_for_selector("body[data-state=speaking-user]")
        await tab.wait_for_timeout(800)
        await tab.locator("#talk").press("Enter")
        await answered(tab, 1)
        assert await is_on(tab)


async def test_without_a_microphone_it_says_so(june: TalkPage, dev_server: WorkflowEnvironment) -> None:
    async with launched(allowed=False) as browser, visit(browser, june.url) as tab:
        await tab.locator(SWITCH).click()
        await tab.wait_for_function("() => document.getElementById('status').textContent.includes('write to me')")
        assert not await is_on(tab)
