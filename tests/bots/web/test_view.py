"""What the page shows of turns, recordings, times and states, in a real browser."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from bots.web.app import STATIC
from tests.support.page_view import DEVICES, view_page
from tests.support.waiting import until

SET_UP = """
window.done = { at: 1795761060, speech: [], done: true, total_ms: 2140, notice: null, link: "http://ui/1",
  transcript: "Question", answer: "An **answer**." };
window.calls = [];
window.handlers = {
  replay: (view) => calls.push(["replay", view.answer]),
  askAgain: (view) => calls.push(["ask", view.transcript]),
  listen: (question) => { calls.push(["listen", question.url]); return Promise.resolve(); },
  silence: () => calls.push(["silence"]),
};
const peaks = Array.from({ length: 44 }, (_, n) => n / 43);
const playing = () => new Promise((resolve, reject) => Object.assign(window, { resolve, reject }));
window.recording = (state, seconds = 75) => ({ id: "r", seconds, state, peaks,
  play: () => { calls.push(["play"]); return playing(); },
  stop: () => { calls.push(["stop"]); resolve(); },
  send: () => calls.push(["send"]),
  discard: () => calls.push(["discard"]),
});
window.add = () => { const card = new view.TurnCard(handlers); cards.push(card); return card; };
null;
"""


@pytest.fixture
async def page(view_browser: Browser, view_url: str) -> AsyncIterator[Page]:
    """The page in London at noon, on 27 November 2026, with nothing said yet."""
    async with view_page(view_browser, view_url, timezone_id="Europe/London") as page:
        await page.clock.set_fixed_time("2026-11-27T12:00:00Z")
        await page.evaluate(SET_UP)
        yield page


async def calls(page: Page) -> list[list[str]]:
    found: list[list[str]] = await page.evaluate("calls.splice(0)")
    return found


async def shown(page: Page, part: str) -> bool:
    return await page.locator(f".turn .{part}").is_visible()


# A turn


async def test_the_files_of_a_task_can_be_saved(page: Page) -> None:
    files = '[{ name: "<b>.py", url: "api/files/1" }, { name: "sums.py", url: "api/files/2" }]'
    await page.evaluate(f"add().update({{ ...done, once: true, files: {files} }})")
    links = page.locator(".turn .files a")
    assert await links.all_inner_texts() == ["<b>.py", "sums.py"]
    assert [await link.get_attribute("download") for link in await links.all()] == ["<b>.py", "sums.py"]
    assert [await link.get_attribute("href") for link in await links.all()] == ["api/files/1", "api/files/2"]
    assert not await shown(page, "ask"), "what is shown of the task may be cut"
    await page.evaluate("cards.at(-1).update(done)")
    assert (await shown(page, "files"), await shown(page, "ask")) == (False, True)


async def test_a_turn_is_shown_as_far_as_it_is_known(page: Page) -> None:
    await page.evaluate("add().said('Question')")
    assert await page.locator(".said").inner_text() == "Question"
    assert not await page.locator("#welcome").is_visible()
    assert await page.locator(".turn.going").count() == 1
    assert not await shown(page, "about")
    await page.evaluate("cards[0].update({ ...done, done: false, answer: 'An **ans' })")
    await page.get_by_text("An ans").wait_for()
    await page.evaluate("cards[0].update({ ...done, notice: 'Cut.' })")
    assert await page.locator(".answer").inner_html() == "<p>An <strong>answer</strong>.</p>"
    assert await page.locator(".notice").inner_text() == "Cut."
    assert await page.locator(".about time").inner_text() == "06:31"
    assert await page.locator(".about .time").inner_text() == "2.1 s"
    assert await page.locator(".details").get_attribute("href") == "http://ui/1"
    assert not await shown(page, "replay")
    assert not await shown(page, "download")


async def test_a_finished_answer_can_be_heard_copied_kept_and_asked_again(page: Page) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.evaluate("add().update({ ...done, reply: { url: 'api/audio/abc.pcm?rate=22050', seconds: 2 } })")
    await page.get_by_role("button", name="Play: the answer again").click()
    await page.get_by_role("button", name="Ask again").click()
    assert await calls(page) == [["replay", "An **answer**."], ["ask", "Question"]]
    await page.get_by_role("button", name="Copy the answer").click()
    await until(lambda: _holds(page, "document.getElementById('announced').textContent === 'Copied'"))
    assert await page.evaluate("navigator.clipboard.readText()") == "An **answer**."
    download = page.get_by_role("link", name="Download the spoken answer")
    assert await download.get_attribute("href") == "api/audio/abc.pcm?rate=22050"
    assert await download.get_attribute("download") == "june-2026-11-27-0631.wav"
    await page.evaluate("cards[0].update({ ...done, reply: { url: 'api/audio/abc.ogg?rate=48000', seconds: 2 } })")
    assert await download.get_attribute("download") == "june-2026-11-27-0631.ogg"


async def _holds(page: Page, condition: str) -> bool:
    return bool(await page.evaluate(condition))


@pytest.mark.parametrize(
    ("view", "sentence", "pale"),
    [
        ("{ stopped: true, heard_chars: 4 }", "Stopped. The pale part was not spoken.", "answer."),
        ("{ stopped: true, heard_chars: 0 }", "Stopped. The pale part was not spoken.", "An answer."),
        ("{ stopped: true, heard_chars: 14 }", "Stopped", ""),
        ("{ stopped: true, heard_chars: null }", "Stopped", ""),
        ("{ stopped: true, answer: '', heard_chars: 0 }", "Stopped", ""),
        ("{ stopped: false, heard_chars: 4 }", "", ""),
        ("{}", "", ""),
    ],
)
async def test_a_stopped_turn_keeps_what_was_said(page: Page, view: str, sentence: str, pale: str) -> None:
    await page.evaluate(f"add().update({{ ...done, ...{view} }})")
    assert await page.locator(".stopped").inner_text() == sentence
    assert "".join(await page.locator(".unheard").all_inner_texts()) == (pale)
    assert await page.locator(".stopped").is_visible() == bool(sentence)


async def test_what_was_not_taken_can_be_sent_again(page: Page) -> None:
    await page.evaluate("add(); cards[0].said('Hello'); cards[0].unsent('Not sent.', () => calls.push(['again']))")
    assert await page.locator(".notice").inner_text() == "Not sent."
    await page.get_by_role("button", name="Send again").click()
    assert await calls(page) == [["again"]]
    assert await page.locator(".turn").count() == 0


async def test_html_is_shown_as_it_was_written(page: Page) -> None:
    await page.evaluate("""
      add().update({ ...done, transcript: '<img src=x onerror=alert(1)>', notice: '<b>x</b>', answer: '<i>y</i>' });
      view.divide('<u>z</u>')
    """)
    assert await page.locator("#log :is(img:not(header img), b, i, u)").count() == 0
    assert await page.locator(".said").inner_text() == "<img src=x onerror=alert(1)>"


# A recording


async def test_a_draft_can_be_heard_sent_and_discarded(page: Page) -> None:
    await page.evaluate("add().recorded(recording('draft'))")
    assert await page.locator(".length").inner_text() == "1:15"
    assert await page.locator(".state").inner_text() == "Not sent"
    bars = await page.locator(".wave .all").get_attribute("d") or ""
    assert bars.count("M") == 44
    assert bars.startswith("M2 14.9v2.2")  # silence is a dot
    assert bars.endswith("M174 2.0v28.0")
    await page.get_by_role("button", name="Listen to your recording").click()
    assert await page.locator(".recording.playing").count() == 1
    assert await page.evaluate(
        "document.querySelector('.played').getAnimations().map(each => each.effect.getTiming().duration)"
    ) == [75_000]
    await page.get_by_role("button", name="Stop playing your recording").click()
    await page.get_by_role("button", name="Listen to your recording").wait_for()
    await page.get_by_role("button", name="Send", exact=True).first.click()
    await page.get_by_role("button", name="Discard").click()
    assert await calls(page) == [["play"], ["stop"], ["send"], ["discard"]]


async def test_a_recording_waits_is_sent_and_then_quotes_what_was_heard(page: Page) -> None:
    await page.evaluate("add().recorded(recording('waiting'))")
    assert await page.locator(".state").inner_text() == "Not sent yet"
    assert not await page.locator(".delivery .submit").is_visible()
    assert await page.locator(".delivery .discard").is_visible()
    assert not await shown(page, "reply")
    await page.evaluate(
        "cards[0].recorded(recording('sent')); cards[0].update({ ...done, transcript: '', answer: '', done: false })"
    )
    assert not await shown(page, "delivery")
    assert not await shown(page, "heard")
    assert await shown(page, "reply")
    await page.evaluate("cards[0].update(done)")
    assert await page.locator(".heard").inner_text() == "What I heard"
    assert await page.locator(".said").inner_text() == "Question"
    marks = "['::before', '::after'].map((mark) => getComputedStyle(document.querySelector('.said'), mark).content)"
    assert await page.evaluate(marks) == ['"“"', '"”"']


async def test_what_was_written_is_no_quotation(page: Page) -> None:
    await page.evaluate("add().update(done)")
    assert not await shown(page, "heard")
    assert not await shown(page, "recording")


async def test_a_recording_that_cannot_be_played_says_so(page: Page) -> None:
    await page.evaluate("add().recorded(recording('sent'))")
    await page.locator(".listen").click()
    await page.evaluate("reject(new Error('gone'))")
    await page.get_by_text("I can't play that recording any more.").wait_for()
    assert await page.locator(".recording.playing").count() == 0


async def test_the_server_s_recording_is_played_where_the_browser_has_none(page: Page) -> None:
    await page.evaluate("add().update({ ...done, question: { url: 'api/audio/q.pcm?rate=16000', seconds: 3.4 } })")
    assert await page.locator(".length").inner_text() == "0:03"
    assert await page.locator(".heard").is_visible()
    await page.locator(".listen").click()
    assert await calls(page) == [["listen", "api/audio/q.pcm?rate=16000"]]
    await page.evaluate(
        "add().recorded(recording('sent', 5)); cards[1].update({ ...done, question: { url: 'x', seconds: 9 } })"
    )
    assert await page.locator(".length").nth(1).inner_text() == "0:05"  # its own is better: it has peaks


# Times


async def test_a_line_stands_where_a_day_begins(page: Page) -> None:
    day = 86_400
    for at in (-9 * day, -9 * day + 60, -day, 0, 60):
        await page.evaluate(f"add().update({{ ...done, at: done.at + {at} }})")
    assert await page.locator(".day").all_inner_texts() == ["Wednesday, 18 November 2026", "Yesterday", "Today"]
    order = await page.evaluate(
        "[...document.getElementById('log').children].map(each => each.matches('.day') ? 'day' : 'turn')"
    )
    assert order == ["day", "turn", "turn", "day", "turn", "day", "turn", "turn"]
    assert await page.locator(".turn time").all_inner_texts() == ["06:31", "06:32", "06:31", "06:31", "06:32"]
    assert await page.locator(".day time").first.get_attribute("datetime") == "2026-11-18T06:31:00.000Z"


async def test_a_conversation_of_today_needs_no_line(page: Page) -> None:
    await page.evaluate("add().said('Hello'); cards[0].update({ ...done, at: 0 }); add().update(done)")
    assert await page.locator(".day").count() == 0
    assert await page.locator(".turn time").first.inner_text() == "12:00"


async def test_days_in_the_reader_s_language(view_browser: Browser, view_url: str) -> None:
    async with view_page(view_browser, view_url, locale="de", timezone_id="Europe/Berlin") as page:
        await page.clock.set_fixed_time("2026-11-27T12:00:00Z")
        await page.evaluate(SET_UP)
        await page.evaluate("add().update({ ...done, at: done.at - 86400 }); add().update(done)")
        assert await page.locator(".day").all_inner_texts() == ["Gestern", "Heute"]
        assert await page.locator(".turn time").first.inner_text() == "07:31"


async def test_lines_between_turns_last(page: Page) -> None:
    await page.evaluate("view.divide('A fresh start.', { at: done.at }); view.divide('One.\\nTwo.')")
    assert re.sub(r"\s+", " ", await page.locator(".divider").inner_text()) == "A fresh start. 06:31"
    assert await page.locator(".aside").inner_text() == "One.\nTwo."
    await page.evaluate("view.clear()")
    assert await page.locator("#log > *").count() == 0
    assert await page.locator("#welcome").is_visible()


# What is spoken


async def test_the_sentence_that_is_spoken_is_marked(page: Page) -> None:
    await page.evaluate("""
      const answer = '## Tides\\n\\nThe **moon** pulls. The moon pulls.\\n- It turns: 1 to 2\\n';
      const spoken = ['Tides.', 'The moon pulls.', 'The moon pulls.', 'It turns, 1 to 2.', 'Never written.'];
      add().update({ ...done, answer, speech: spoken.map((text) => ({ text })) });
    """)
    marked = """(index) => { view.speaking(cards[0], index);
      return [...CSS.highlights.get('spoken')].map(range => range.toString()).join(); }"""
    assert [await page.evaluate(marked, index) for index in range(6)] == [
        *("Tides", "The moon pulls", "The moon pulls", "It turns: 1 to 2", "", ""),
    ]
    await page.evaluate("view.speaking(cards[0], 1), view.speaking(null)")
    assert await page.evaluate("CSS.highlights.get('spoken').size") == 0


# Scrolling


async def test_the_newest_stays_in_sight_until_somebody_scrolls_up(page: Page) -> None:
    left = "Math.round(document.documentElement.scrollHeight - innerHeight - scrollY)"
    grow = "cards[0].update({ ...done, answer: 'Line.\\n\\n'.repeat(lines += 20) })"
    await page.evaluate("add(); window.lines = 0")
    for _ in range(3):
        await page.evaluate(grow)
    await until(lambda: _holds(page, f"scrollY > 500 && {left} === 0"))
    await page.evaluate("scrollBy(0, -2)")  # a finger's tremor
    await page.evaluate(grow)
    await until(lambda: _holds(page, f"{left} === 0"))
    await page.evaluate("scrollBy(0, -3)")
    await page.evaluate("new Promise(requestAnimationFrame)")
    await page.evaluate(grow)
    await until(lambda: _holds(page, f"{left} > 200"))
    await page.locator("#newest").wait_for()
    await page.get_by_role("button", name="To the newest").click()
    await until(lambda: _holds(page, f"{left} === 0"))
    await page.locator("#newest").wait_for(state="hidden")
    await page.evaluate("scrollBy(0, -150)")
    await page.evaluate("new Promise(requestAnimationFrame)")
    await page.locator("#newest").wait_for(state="hidden")
    await page.evaluate("scrollBy(0, 100)")  # near the end again
    await until(lambda: _holds(page, f"{left} === 50"))
    await page.evaluate("new Promise(requestAnimationFrame)")
    await page.evaluate(grow)
    await until(lambda: _holds(page, f"{left} === 0"))


async def test_own_words_are_shown_wherever_one_reads(page: Page) -> None:
    await page.evaluate("add().update({ ...done, answer: 'Line.\\n\\n'.repeat(99) }); scrollTo(0, 0)")
    await page.evaluate("new Promise(requestAnimationFrame)")
    await page.evaluate("add().said('Hello')")
    await until(lambda: _holds(page, "innerHeight + scrollY > document.documentElement.scrollHeight - 2"))


# The dock


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("locale", ["en", "de", "es", "fr"])
async def test_the_dock_takes_little_once_there_is_something_to_read(
    view_browser: Browser, view_url: str, device: str, locale: str
) -> None:
    async with view_page(view_browser, view_url, device, locale=locale) as page:
        await page.evaluate(SET_UP)
        await page.evaluate("add().update(done); view.show('thinking', text('transcribe'))")
        await page.evaluate("for (const id of ['stop']) document.getElementById(id).hidden = false")
        height = "document.getElementById('dock').getBoundingClientRect().height"
        assert await page.evaluate(height) <= 190
        await page.evaluate(
            "document.getElementById('stop').hidden = true; document.getElementById('cancel').hidden = false"
        )
        await page.evaluate("document.getElementById('how').textContent = text('how-listening', { time: '10:00' })")
        assert await page.evaluate(height) <= 190
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [320, 360, 390, 1280])
async def test_it_fits(view_browser: Browser, view_url: str, width: int) -> None:
    answer = (
        "a_word_longer_than_any_line_" * 9
        + "\\n\\n| a | b | c | d | e |\\n|-|-|-|-|-|\\n|1|2|3|4|5|\\n\\n```\\n"
        + "x" * 200
        + "\\n```"
    )
    async with view_page(view_browser, view_url, viewport={"width": width, "height": 640}) as page:
        await page.evaluate(SET_UP)
        await page.evaluate(f"add().update({{ ...done, transcript: 'w'.repeat(300), answer: '{answer}' }})")
        await page.evaluate("document.body.dataset.slide = ''; add().recorded(recording('draft'))")
        await page.evaluate("document.getElementById('cancel').hidden = false")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_enter_sends_and_shift_enter_begins_a_line(page: Page) -> None:
    await page.locator("#text").click()
    low = await page.evaluate("document.getElementById('text').offsetHeight")
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    assert await page.locator("#text").input_value() == "one\ntwo"
    assert await page.evaluate("document.getElementById('text').offsetHeight") > low
    assert ["submit", "write", ""] not in await page.evaluate("events")
    await page.keyboard.press("Enter")
    assert ["submit", "write", ""] in await page.evaluate("events")
    await page.locator("#text").fill("\n" * 50)
    assert await page.evaluate("document.getElementById('text').offsetHeight") < 200


async def test_an_example_is_asked(page: Page) -> None:
    await page.get_by_role("button", name="Explain how tides work").click()
    assert ["june:ask", "", "Explain how tides work"] in await page.evaluate("events")


async def test_each_state_has_its_colour(page: Page) -> None:
    states = ["idle", "arming", "listening", "speaking-user", "thinking", "speaking", "interrupted"]
    look = "(state) => { view.show(state); return getComputedStyle(document.getElementById('talk')).backgroundImage; }"
    colours = [await page.evaluate(look, state) for state in states]
    assert len(set(colours)) == 5  # arming is listening's, speaking is idle's and moves
    assert await page.evaluate("getComputedStyle(talk, '::before').scale") == "1"
    await page.evaluate("document.body.style.setProperty('--level', 1)")
    await until(lambda: _holds(page, "getComputedStyle(talk, '::before').scale === '1.45'"))


async def test_those_who_want_no_motion_see_a_still_ring(view_browser: Browser, view_url: str) -> None:
    async with view_page(view_browser, view_url, reduced_motion="reduce") as page:
        await page.evaluate(SET_UP)
        await page.evaluate("add().update({ ...done, done: false }); view.show('thinking', 'Thinking …')")
        assert await page.evaluate("document.getAnimations().length") == 0
        assert await page.evaluate("getComputedStyle(talk, '::after').borderTopWidth") == "3px"


async def test_sliding_is_hinted_at_while_a_finger_holds(page: Page) -> None:
    await page.evaluate("add().update(done)")
    assert not await page.locator("#slide").is_visible()
    await page.evaluate("document.body.dataset.slide = ''")
    assert await page.locator(".to-cancel").is_visible()
    still = str(await page.locator(".to-cancel").evaluate("each => getComputedStyle(each).backgroundColor"))
    await page.evaluate("document.body.dataset.slide = 'cancel'")
    await until(lambda: _changed(page, still))


async def _changed(page: Page, still: str) -> bool:
    return str(await page.locator(".to-cancel").evaluate("each => getComputedStyle(each).backgroundColor")) != still


# Words


def keys() -> dict[str, set[str]]:
    source = (STATIC / "texts.js").read_text()
    blocks = re.findall(r"(?ms)^  (\w\w): \{\n(.*?)\n  \},", source)
    return {language: set(re.findall(r'"?([\w-]+)"?: "', block)) for language, block in blocks}


def test_every_sentence_is_there_in_every_language() -> None:
    found = keys()
    assert set(found) == {"en", "de", "es", "fr"}
    assert {language: found["en"] ^ of for language, of in found.items() if of != found["en"]} == {}


def test_every_sentence_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r'data-(?:text|label|placeholder)="([\w-]+)"', (STATIC / "index.html").read_text()))
    for file in STATIC.glob("*.js"):
        asked |= set(re.findall(r'\b(?:text|say)\("([\w-]+)"', file.read_text()))
    assert asked - keys()["en"] == set()


async def test_voices_have_names(page: Page) -> None:
    script = "async (codes) => { const texts = await import('/static/texts.js'); return codes.map(texts.voiceName); }"
    codes = ["en_US-joe-medium", "de_DE-thorsten_emotional-medium", "mystery"]
    assert await page.evaluate(script, codes) == [
        "Joe (American English)",
        "Thorsten Emotional (German (Germany))",
        "mystery",
    ]
