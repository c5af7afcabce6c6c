"""The page's state machine, event by event: what each makes of a state, and what is to be done about it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.static_page import imported, static_page

BY_HAND, BY_VOICE = {"talking": "speaking-user"}, {"talking": "speaking-user", "byVoice": True, "handsFree": True}
HANDS_FREE = {"handsFree": True}
SPEAKING = {"sounding": True}
PAUSED = {"handsFree": True, "sounding": True, "paused": True}
OWN = {"answering": True, "own": True}
OTHER = {"answering": True}

TABLE: list[tuple[dict[str, Any], str, str, list[str]]] = [
    # A press, a tap or Space; the second ends what the first has begun
    ({}, "press", "arming", ["open"]),
    (OTHER, "press", "arming", ["open"]),
    (OWN, "press", "interrupted", ["interrupt", "open"]),
    (SPEAKING, "press", "interrupted", ["interrupt", "open"]),
    (HANDS_FREE, "press", "arming", ["begin"]),
    (HANDS_FREE | SPEAKING, "press", "interrupted", ["interrupt", "begin"]),
    ({"talking": "arming"}, "press", "arming", []),
    ({"talking": "arming"}, "began", "speaking-user", []),
    ({"talking": "interrupted"}, "began", "speaking-user", []),
    ({}, "began", "idle", ["drop"]),
    (BY_HAND, "press", "idle", ["send", "close"]),
    (BY_HAND, "release", "idle", ["send", "close"]),
    (BY_HAND | OTHER, "release", "thinking", ["send", "close"]),
    (BY_HAND | HANDS_FREE, "release", "listening", ["send"]),
    ({"talking": "arming"}, "release", "idle", ["close", "resume"]),
    ({}, "release", "idle", []),
    ({"talking": "arming"}, "failed", "idle", ["close", "resume"]),
    (HANDS_FREE, "failed", "idle", ["close"]),
    ({"talking": "arming"}, "short", "idle", ["drop", "close", "resume"]),
    # Cancelling and stopping
    (BY_HAND, "cancel", "idle", ["keep", "close", "resume"]),
    (BY_HAND, "escape", "idle", ["keep", "close", "resume"]),
    (BY_VOICE, "escape", "listening", ["keep", "resume"]),
    ({"talking": "interrupted"} | OWN, "cancel", "thinking", ["close", "resume"]),
    ({}, "cancel", "idle", []),
    (SPEAKING, "stop", "idle", ["stop"]),
    (SPEAKING | OWN, "stop", "thinking", ["stop"]),  # until the turn has ended
    (SPEAKING | HANDS_FREE, "escape", "listening", ["stop"]),
    (OTHER, "escape", "thinking", ["stop"]),
    ({}, "escape", "idle", []),
    # Hands-free
    ({}, "hands-free on", "listening", ["listen"]),
    (HANDS_FREE, "hands-free on", "listening", []),
    (HANDS_FREE, "hands-free off", "idle", ["close"]),
    (BY_VOICE, "hands-free off", "idle", ["draft", "close", "resume"]),
    (HANDS_FREE | SPEAKING, "hands-free off", "speaking", ["close"]),
    (HANDS_FREE, "speech-start", "arming", ["begin"]),
    (HANDS_FREE | OWN, "speech-start", "interrupted", ["interrupt", "begin"]),
    (HANDS_FREE | SPEAKING, "speech-start", "interrupted", ["interrupt", "begin"]),
    ({}, "speech-start", "idle", []),
    (BY_HAND | HANDS_FREE, "speech-start", "speaking-user", []),
    (BY_VOICE, "speech-end", "listening", ["send"]),
    (BY_HAND | HANDS_FREE, "speech-end", "speaking-user", []),  # it is held
    (HANDS_FREE, "speech-end", "listening", []),
    (HANDS_FREE | SPEAKING, "speech-maybe", "speaking", ["pause"]),
    (HANDS_FREE | OWN, "speech-maybe", "thinking", ["pause"]),  # between two sentences
    (BY_HAND | HANDS_FREE, "speech-maybe", "speaking-user", []),
    (SPEAKING, "speech-maybe", "speaking", []),
    (HANDS_FREE | SPEAKING, "speech-misfire", "speaking", []),
    # A pause ends with what caused it, whatever becomes of that
    (PAUSED, "speech-misfire", "speaking", ["go-on"]),
    (PAUSED, "speech-start", "interrupted", ["interrupt", "begin"]),
    (PAUSED | {"sounding": False}, "speech-start", "arming", ["begin", "go-on"]),
    (PAUSED, "press", "interrupted", ["interrupt", "begin"]),
    (PAUSED, "stop", "listening", ["stop"]),
    (PAUSED, "hands-free off", "speaking", ["close", "go-on"]),
    (PAUSED, "hidden", "speaking", ["close", "go-on"]),
    (PAUSED, "failed", "speaking", ["close", "go-on"]),
    (PAUSED, "lost", "speaking", ["close", "listen", "go-on"]),
    (PAUSED, "sound off", "listening", []),  # not yet
    (BY_VOICE, "speech-misfire", "listening", ["drop", "resume"]),
    (BY_HAND | HANDS_FREE, "speech-misfire", "speaking-user", []),
    # What others do to it
    (BY_HAND, "hidden", "idle", ["draft", "close", "resume"]),
    (BY_VOICE, "hidden", "idle", ["draft", "close", "resume"]),
    (HANDS_FREE, "hidden", "idle", ["close"]),
    ({"talking": "arming"}, "hidden", "idle", ["close", "resume"]),
    (SPEAKING, "hidden", "speaking", []),  # june plays on
    (BY_HAND, "lost", "idle", ["draft", "close", "resume"]),
    (BY_VOICE, "lost", "listening", ["draft", "close", "resume", "listen"]),  # the default is tried, once
    (HANDS_FREE | {"reopened": True}, "lost", "idle", ["close"]),
    # june
    ({}, "turns own", "thinking", []),
    (OWN, "sound on", "speaking", []),
    (SPEAKING | HANDS_FREE, "sound off", "listening", []),
    (OWN, "turns none", "idle", []),
]

EVENTS = {
    "hands-free on": {"type": "hands-free", "on": True},
    "hands-free off": {"type": "hands-free", "on": False},
    "sound on": {"type": "sound", "on": True},
    "sound off": {"type": "sound", "on": False},
    "turns own": {"type": "turns", "answering": True, "own": True},
    "turns none": {"type": "turns", "answering": False, "own": False},
}

STEP = """([changes, event]) => {
    const before = Object.freeze({ ...june.BEGINNING, ...changes });
    const { state, effects } = june.reduce(before, event);
    return { phase: june.phaseOf(state), effects, state };
}"""


@pytest.fixture(scope="module")
async def page(view_browser: Browser) -> AsyncIterator[Page]:
    """An empty page with the state machine in ``june``."""
    async with static_page() as url:
        page = await view_browser.new_page()
        await imported(page, url, "state")
        yield page
        await page.close()


async def step(page: Page, changes: dict[str, Any], event: str) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(STEP, [changes, EVENTS.get(event, {"type": event})])
    return found


async def test_each_event_does_what_the_table_says(page: Page) -> None:
    wrong = []
    for before, event, phase, effects in TABLE:
        found = await step(page, before, event)
        if (found["phase"], found["effects"]) != (phase, effects):
            wrong.append((before, event, (phase, effects), (found["phase"], found["effects"])))
    assert wrong == []


async def test_what_nobody_knows_is_an_error(page: Page) -> None:
    said = await page.evaluate(
        "() => { try { june.reduce(june.BEGINNING, { type: 'x' }) } catch (e) { return e.message } }"
    )
    assert said == "no such event: x"


async def test_after_any_events_there_is_a_way_to_rest(page: Page) -> None:
    """Whatever came, once the person has cancelled, june has stopped, and the turns are over, the page is idle."""
    left = await page.evaluate(
        """(events) => {
            const ending = [{ type: "cancel" }, { type: "hands-free", on: false }, { type: "stop" },
                { type: "sound", on: false }, { type: "turns", answering: false, own: false }];
            const left = new Set();
            const run = (state, depth) => {
                const last = ending.reduce((before, event) => june.reduce(before, event).state, state);
                left.add(june.phaseOf(last));
                if (depth) for (const event of events) run(june.reduce(state, event).state, depth - 1);
            };
            run(june.BEGINNING, 4);
            return [...left];
        }""",
        [
            EVENTS.get(event, {"type": event})
            for _, event, _, _ in {event: (0, event, 0, 0) for _, event, _, _ in TABLE}.values()
        ],
    )
    assert left == ["idle"]
