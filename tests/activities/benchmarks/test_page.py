"""The page of a run."""

import re
from html.parser import HTMLParser

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.page import page, settings, span
from activities.benchmarks.shown_attempts import ATTEMPT_BYTES, show
from activities.benchmarks.summary import summarize
from activities.benchmarks.written import Written
from agent.transcript import Entry, Observation, Task
from tests.activities.benchmarks.runs import attempts, pinned

HOSTILE = (
    "</pre></title><script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>"
    "\" ' onmouseover=alert(3) <iframe> {{ 7 * 7 }} \x00\x1b[31mred\x1b[0m \x1b]0;t\x07 \u202e" + "y" * 50_000
)
PLACES = ("src", "href", "srcset", "action", "data", "xlink:href", "formaction", "poster", "background")


class _Elements(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def test_hostile_text_is_text_and_nothing_is_fetched() -> None:
    run = [
        Attempt(task=f"{number}{HOSTILE[:150]}", outcome=AttemptOutcome.WRONG, why=HOSTILE[:300]) for number in range(2)
    ]
    entries: tuple[Entry, ...] = (Task(text=HOSTILE), Observation(step=1, text=HOSTILE))
    written = Written(HOSTILE, "+" + HOSTILE, "half \ud800" + HOSTILE, entries)
    settings = pinned(*(one.task for one in run)).model_copy(update={"model": HOSTILE[:300], "machine": HOSTILE[:300]})
    summary = summarize(settings, run, 60, HOSTILE[:200])
    html = page(summary, run, [show(one, written, ATTEMPT_BYTES) for one in run]).decode()
    found = _Elements(html)
    assert not found.tags & {"script", "img", "iframe", "link", "object", "embed", "base", "form", "foreignobject"}
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert all(value and value.startswith("#") for name, value in found.attributes if name in PLACES)
    assert not re.search(r"url\(|@import", html)
    assert "\\x00red \\x1b]0;t\\x07 \\u202e" in html
    assert "half \\ud800" in html
    assert "{{ 7 * 7 }}" in html
    assert not re.search("[\x00\x07\x1b\u202e]", html)


def test_the_page_tells_what_is_missing_and_left_out() -> None:
    run = attempts(AttemptOutcome.SOLVED, AttemptOutcome.WRONG, AttemptOutcome.MODEL_ERROR)
    summary = summarize(pinned("0", "1", "2"), run, 60, "finished")
    html = page(summary, run, [show(run[0], Written(missing=True), ATTEMPT_BYTES)]).decode()
    assert "Some of what it has written is not stored any more." in html
    assert "2 more attempts are in results.jsonl alone." in html
    assert "0.50 <small>pass@1" in html
    assert "the model&#39;s server failed: beside the score" in html


def test_a_run_without_attempts_has_a_page() -> None:
    assert b"n/a: no attempt counts" in page(summarize(pinned("0"), [], 0, "cancelled"), [], [])


def test_what_was_pinned_is_told_and_what_was_not_left_out() -> None:
    told = dict(settings(pinned("0").model_copy(update={"server": ""})))
    assert told["Limits of the agent"] == "15 steps, 900 seconds"
    assert told["Started"] == "2026-11-28 03:00 UTC"
    assert "Model's server" not in told


@pytest.mark.parametrize(("seconds", "expected"), [(0.42, "0.42 s"), (7.5, "7.5 s"), (720, "12 min"), (12240, "3.4 h")])
def test_spans_are_told_for_people(seconds: float, expected: str) -> None:
    assert span(seconds) == expected
