"""What a page shows of attempts."""

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.shown_attempts import ATTEMPT_BYTES, DETAILS_BYTES, kind, share, show
from activities.benchmarks.written import Written
from activities.pages.plain_text import page_bytes
from tests.activities.benchmarks.written_runs import transcript

ATTEMPT = Attempt(task="a", outcome=AttemptOutcome.WRONG)


def test_attempts_share_the_page_alike() -> None:
    assert share(0) == share(1) == ATTEMPT_BYTES
    assert share(1000) == DETAILS_BYTES // 1000


def test_outcomes_are_good_bad_or_beside_the_score() -> None:
    assert kind(AttemptOutcome.SOLVED) == kind(AttemptOutcome.MEASURED) == "good"
    assert kind(AttemptOutcome.WRONG) == "bad"
    assert kind(AttemptOutcome.MODEL_ERROR) == kind(AttemptOutcome.UNMEASURED) == "odd"


def test_what_is_short_is_shown_whole() -> None:
    entries = tuple(transcript(4))
    found = show(ATTEMPT, Written(answer="answer", transcript=entries), ATTEMPT_BYTES)
    assert found.answer == ("answer", True)
    assert found.patch is None
    assert [entry.who for entry in found.entries[:3]] == ["task", "observation", "step 1"]
    assert len(found.entries) == len(entries)
    assert all(entry.shown is None or entry.shown.whole for entry in found.entries)


def test_texts_share_what_an_attempt_may_take() -> None:
    found = show(ATTEMPT, Written(answer="a" * 100_000, patch="+\n" * 50_000, checks="c" * 100_000), 9000)
    texts = [found.answer, found.patch, found.checks]
    assert sum(page_bytes(one.text) for one in texts if one) <= 9000
    assert not any(one.whole for one in texts if one)


def test_of_a_long_transcript_the_first_and_last_entries_are_left() -> None:
    entries = tuple(transcript(400))
    found = show(ATTEMPT, Written(transcript=entries), 5000).entries
    assert found[0].who == "task"
    assert found[1].line == f"{len(entries) - len(found) + 1} entries left out: a page cannot hold them"
    assert found[-1].shown
    assert found[-1].shown.text == "The tests pass."
