"""What a page shows of attempts: each has its share, and what is left out is told."""

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.shown_attempts import ATTEMPT_BYTES, DETAILS_BYTES, kind, share, show
from activities.benchmarks.written import Written
from activities.pages.plain_text import page_bytes
from tests.activities.benchmarks.written_runs import transcript

ATTEMPT = Attempt(task="a", outcome=AttemptOutcome.WRONG)


@pytest.mark.parametrize(("attempts", "most"), [(0, ATTEMPT_BYTES), (1, ATTEMPT_BYTES), (1000, DETAILS_BYTES // 1000)])
def test_attempts_share_the_page_alike(attempts: int, most: int) -> None:
    assert share(attempts) == most


@pytest.mark.parametrize(
    ("outcome", "colour"),
    [
        (AttemptOutcome.SOLVED, "good"),
        (AttemptOutcome.MEASURED, "good"),
        (AttemptOutcome.WRONG, "bad"),
        (AttemptOutcome.SANDBOX_ERROR, "odd"),
        (AttemptOutcome.UNMEASURED, "odd"),
    ],
)
def test_the_colour_of_an_outcome(outcome: AttemptOutcome, colour: str) -> None:
    assert kind(outcome) == colour


def test_short_texts_are_whole() -> None:
    shown = show(ATTEMPT, Written(answer="x = 1", patch="+x = 1"), 10_000)
    assert shown.answer
    assert shown.patch
    assert (shown.answer.text, shown.answer.whole, shown.patch.whole) == ("x = 1", True, True)
    assert (shown.checks, shown.entries, shown.missing) == (None, (), False)


def test_long_ones_are_cut_to_the_share() -> None:
    shown = show(ATTEMPT, Written(answer="x" * 50_000, transcript=tuple(transcript(40))), 10_000)
    assert shown.answer
    assert not shown.answer.whole
    texts = [entry.shown.text for entry in shown.entries if entry.shown]
    assert page_bytes(shown.answer.text) + sum(map(page_bytes, texts)) <= 10_000
    assert any("left out" in entry.line for entry in shown.entries)
    assert shown.entries[0].who == "task"
