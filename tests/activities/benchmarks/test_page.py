"""The page of a run: all that attempts have written is text in it, and nothing is fetched."""

import re

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.page import page, settings, span
from activities.benchmarks.shown_attempts import show
from activities.benchmarks.summary import summarize
from activities.benchmarks.written import Written
from tests.activities.benchmarks.written_runs import pinned, speech, turns

HOSTILE = (
    '</pre><script>alert(1)</script><img src="https://example.org/x" onerror=alert(1)> \x1b[31m \x00 \ud800 \u202e'
)


def is_self_contained(html: str) -> bool:
    """Check that nothing is fetched and no script runs."""
    fetched = re.search(r"""\s(src|href|srcset|action|data)\s*=\s*(?!"#)""", html)
    return "<script" not in html and "@import" not in html and "url(" not in html and not fetched


def test_hostile_texts_are_text() -> None:
    run = pinned("a", run="hostile").model_copy(update={"model": HOSTILE.replace("\ud800", "")})
    attempt = Attempt(task="a", outcome=AttemptOutcome.WRONG, why=HOSTILE.replace("\ud800", ""))
    written = Written(answer=HOSTILE, patch=f"+{HOSTILE}", checks=HOSTILE)
    html = page(summarize(run, [attempt], 1.0, "finished"), [attempt], [show(attempt, written, 10_000)]).decode()
    assert is_self_contained(re.sub(r"&lt;.*?&gt;", "", html, flags=re.DOTALL))
    assert "&lt;script&gt;" in html
    assert r"\x00" in html
    assert r"\ud800" in html
    assert r"\u202e" in html


@pytest.mark.parametrize("made", [speech, turns])
def test_speech_and_turns_have_pages(made: object) -> None:
    assert callable(made)
    run, attempts = made()
    listed = [show(attempt, Written(), 1000) for attempt in attempts]
    html = page(summarize(run, attempts, 60.0, "finished"), attempts, listed).decode()
    assert is_self_contained(html)
    assert "<svg" in html
    assert all(attempt.task in html for attempt in attempts)


def test_all_that_was_pinned_is_told() -> None:
    run = pinned("a")
    told = " ".join(f"{name} {value}" for name, value in settings(run))
    for value in (run.data_set, run.data_sha256, run.model, run.code_version, run.machine):
        assert value in told


@pytest.mark.parametrize("seconds", [0.04, 5.0, 75.0, 4000.0])
def test_a_span_of_time_is_short(seconds: float) -> None:
    assert 0 < len(span(seconds)) < 12
