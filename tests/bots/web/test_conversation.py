"""What becomes of what was asked, in Chromium over june's real workflows: answers, stops, interruptions."""

import logging

import pytest
from playwright.async_api import Browser, Page

from tests.support.page_browser import answered, write
from tests.support.page_talk import (
    TalkPage,
    another_tab,
    first_sound,
    has_mark,
    record,
    recording,
    silent_after,
    sounds,
    visit,
)
from tests.support.waiting import until

pytestmark = pytest.mark.slow
logger = logging.getLogger(__name__)

FADE_MS = 50
SILENT_MS = 300
"""After which june must be silent when somebody talks over it."""
STOPPED = ".turn .stopped:visible"


def at_length(june: TalkPage) -> None:
    """Have june answer in five sentences, each a second long, which take the model half a second each."""
    june.engines.sentences, june.engines.seconds, june.engines.pause = 5, 1.0, 0.5


async def marked(tab: Page) -> None:
    """Mark in the page when keys and buttons are pressed."""
    await tab.evaluate("""() => {
        for (const kind of ["pointerdown", "keydown"]) {
            addEventListener(kind, () => performance.mark("test:press"), { capture: true });
        }
    }""")


async def reopened(tab: Page) -> None:
    await tab.reload()
    await tab.wait_for_selector("html[data-ready]")


# Answers


async def test_a_question_is_heard_and_answered_aloud(tab: Page, june: TalkPage) -> None:
    await record(tab)
    await sounds(tab)
    await answered(tab, 1)
    assert await tab.locator(".said").inner_text() == "Question 1."
    assert await tab.locator(".answer").inner_text() == "Sentence 1 about Question 1. Sentence 2 about Question 1."
    await tab.wait_for_selector("body[data-state=idle]")
    assert june.engines.heard[0] > 0.5


async def test_each_sentence_is_scheduled_before_the_last_has_ended(tab: Page, june: TalkPage) -> None:
    june.engines.sentences, june.engines.seconds = 3, 2.0
    await tab.evaluate("""() => {
        window.started = [];
        const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function (at) {
            started.push([this.context.currentTime, at, at + this.buffer.duration]);
            start.call(this, at);
        };
    }""")
    await record(tab)
    await tab.wait_for_selector("body[data-state=speaking]")
    await tab.wait_for_selector("body[data-state=idle]")
    first, second, third = await tab.evaluate("started")
    for before, after in ((first, second), (second, third)):
        assert after[0] < before[2]
        assert after[1] - before[2] == pytest.approx(0.15)


async def test_a_recording_can_be_heard_again_also_after_a_reload(tab: Page) -> None:
    await record(tab)
    await answered(tab, 1)
    await tab.wait_for_selector("body[data-state=idle]")
    await reopened(tab)
    await tab.locator(".listen").click()
    await sounds(tab)
    await tab.wait_for_selector(".recording:not(.playing)")


async def test_a_recording_that_the_browser_has_lost_is_played_from_the_server(tab: Page) -> None:
    await record(tab)
    await answered(tab, 1)
    await tab.evaluate("async () => (await (await import('/static/takes.js')).openTakes()).clear()")
    await reopened(tab)
    await tab.locator(".listen").click()
    await sounds(tab)


async def test_the_same_is_asked_again_as_a_new_turn(tab: Page, june: TalkPage) -> None:
    await record(tab)
    await answered(tab, 1)
    await tab.locator(".ask").click()
    await answered(tab, 2)
    assert await tab.locator(".said").all_inner_texts() == ["Question 1.", "Question 2."]
    assert june.engines.heard[0] == june.engines.heard[1]
    await write(tab, "Hello")
    await answered(tab, 3)
    await tab.locator(".ask").last.click()
    await answered(tab, 4)
    assert (await tab.locator(".said").all_inner_texts())[2:] == ["Hello", "Hello"]


async def test_what_came_of_commands_lasts_over_a_reload(tab: Page, june: TalkPage) -> None:
    await write(tab, "Hello")
    await answered(tab, 1)
    await write(tab, "/new")
    await tab.locator(".divider, .aside").wait_for()
    await write(tab, "Hello again")
    await answered(tab, 2)
    shown = "[...document.querySelectorAll('.turn, .divider, .aside')].map(each => each.className.split(' ')[0])"
    before = await tab.evaluate(shown)
    assert len(before) == 3
    await reopened(tab)
    assert await tab.evaluate(shown) == before
    other = await another_tab(tab, june.url)
    assert await other.evaluate(shown) == before


# Stopping


@pytest.mark.parametrize("by", ["#stop", "Escape"])
async def test_stop_is_silence_and_keeps_what_was_said(tab: Page, june: TalkPage, by: str) -> None:
    at_length(june)
    await marked(tab)
    await record(tab)
    await sounds(tab)
    if by == "Escape":
        await tab.keyboard.press(by)
    else:
        await tab.locator(by).click()
    await tab.wait_for_selector(STOPPED)
    await answered(tab, 1)
    await tab.wait_for_selector("body[data-state=idle]")
    assert await silent_after(tab, "test:press") < SILENT_MS
    assert await silent_after(tab, "june:silence") < FADE_MS + 30  # what the measuring is late
    said = await tab.locator(".answer").inner_text()
    assert said.startswith("Sentence 1 about Question 1.")
    assert "Sentence 5" not in said
    await reopened(tab)
    await tab.wait_for_selector(STOPPED)
    assert await tab.locator(".answer").inner_text() == said
    other = await another_tab(tab, june.url)
    await other.wait_for_selector(STOPPED)
    await write(other, "What did you say?")
    await answered(other, 2)


async def test_the_focus_is_on_the_talk_button_after_stop(tab: Page, june: TalkPage) -> None:
    at_length(june)
    await write(tab, "/voice always")
    await write(tab, "Hello")
    await sounds(tab)
    await tab.locator("#stop").click()
    assert await tab.evaluate("document.activeElement.id") == "talk"


async def test_an_answer_that_is_written_is_stopped_while_it_is_heard(tab: Page, june: TalkPage) -> None:
    june.engines.sentences, june.engines.seconds = 4, 1.5
    await record(tab)
    await sounds(tab)
    await answered(tab, 1)
    await tab.locator("#stop").click()
    await tab.wait_for_selector(STOPPED)
    assert await tab.locator(".answer").inner_text() == " ".join(
        f"Sentence {number} about Question 1." for number in range(1, 5)
    )
    await reopened(tab)
    await tab.wait_for_selector(STOPPED)


# Talking over june


async def test_talking_over_june_ends_the_old_answer(tab: Page, june: TalkPage) -> None:
    at_length(june)
    await marked(tab)
    await record(tab)
    await sounds(tab)
    await tab.keyboard.down("Space")
    await recording(tab, 1)
    assert await silent_after(tab, "test:press") < SILENT_MS
    assert await silent_after(tab, "june:silence") < FADE_MS + 30
    await tab.keyboard.up("Space")
    await tab.wait_for_selector(".turn:nth-child(n+2) .said:not(:empty)")
    assert await tab.locator("body").get_attribute("data-state") != "idle"
    await tab.wait_for_selector(STOPPED)
    await answered(tab, 2)
    first, second = await tab.locator(".answer").all_inner_texts()
    assert "Sentence 5" not in first
    assert "Sentence 5 about Question 2." in second
    assert await tab.locator(STOPPED).count() == 1


async def test_how_soon_a_turn_said_over_june_is_heard(tab: Page, june: TalkPage) -> None:
    """Beside a plain turn, from the question's end to the first sound; logged, as the machine decides it."""
    at_length(june)
    await record(tab)
    await sounds(tab)
    plain = await first_sound(tab, 1)
    await record(tab)
    await tab.wait_for_selector(STOPPED)
    await sounds(tab)
    over = await first_sound(tab, 2)
    await tab.locator("#stop").click()
    logger.info("first sound of a plain turn after %d ms, of one over june after %d ms", plain, over)


async def test_typing_over_june_ends_the_old_answer(tab: Page, june: TalkPage) -> None:
    at_length(june)
    await record(tab)
    await sounds(tab)
    await write(tab, "Something else")
    await tab.wait_for_selector(STOPPED)
    await answered(tab, 2)
    assert "Sentence 5 about Something else" in (await tab.locator(".answer").all_inner_texts())[1]


async def test_typed_questions_wait_for_each_other(tab: Page, june: TalkPage) -> None:
    june.engines.pause = 0.5
    for number in range(3):
        await write(tab, f"number {number}")
    await answered(tab, 3)
    assert await tab.locator(".said").all_inner_texts() == ["number 0", "number 1", "number 2"]
    assert await tab.locator(STOPPED).count() == 0


async def test_a_cancelled_interruption_leaves_the_old_turn(tab: Page, june: TalkPage) -> None:
    at_length(june)
    await record(tab)
    await sounds(tab)
    await tab.keyboard.down("Space")
    await recording(tab)
    await tab.keyboard.press("Escape")
    await tab.keyboard.up("Space")
    await answered(tab, 1)
    assert "Sentence 5" in await tab.locator(".answer").inner_text()
    assert await tab.locator(STOPPED).count() == 0


# Another browser


async def test_another_browser_sees_nothing(tab: Page, june: TalkPage, talk_browser: Browser) -> None:
    await write(tab, "Hello")
    await answered(tab, 1)
    async with visit(talk_browser, june.url) as other:
        assert await other.locator(".turn").count() == 0
        await until(lambda: has_mark(tab, "june:sent"))
