"""The line of the score says what counts, what does not, and what is missing."""

from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode
from activities.benchmarks.summary import sorted_attempts, summarize
from tests.activities.benchmarks.runs import attempts, pinned

SOLVED, WRONG, FAULT = AttemptOutcome.SOLVED, AttemptOutcome.WRONG, AttemptOutcome.MODEL_ERROR


def test_the_score_of_one_sample() -> None:
    found = summarize(pinned(*map(str, range(164))), attempts(*[SOLVED] * 116, *[WRONG] * 48), 900.0, "finished")
    assert found.score == "pass@1 0.71 (0.63 to 0.77), 164 tasks"
    assert {score.k: score.value is None for score in found.pass_at} == {1: False, 5: True, 10: True}
    assert (found.planned, found.attempts, found.counts) == (164, 164, {SOLVED: 116, WRONG: 48})


def test_faults_and_what_was_not_tried_are_told() -> None:
    found = summarize(pinned(*map(str, range(9))), attempts(SOLVED, WRONG, SOLVED, SOLVED, FAULT), 1.0, "cancelled")
    assert found.score == "pass@1 0.75 (0.30 to 0.95), 4 of 9 tasks; 0.60 with 1 fault as not solved"


def test_several_samples() -> None:
    run = [
        Attempt(task=str(task), sample=sample, outcome=SOLVED if sample < task else WRONG)
        for task in range(5)
        for sample in range(5)
    ]
    found = summarize(pinned(*map(str, range(5)), samples=5), run, 1.0, "finished")
    assert found.score.startswith("pass@1 0.40 (")
    assert "pass@5 0.80 (" in found.score
    assert found.score.endswith("5 tasks, 5 samples each")
    short = summarize(pinned(*map(str, range(5)), samples=5), run[:-1], 1.0, "cancelled")
    assert "pass@5 n/a, 5 tasks" in short.score


def test_nothing_counts() -> None:
    assert summarize(pinned("0"), attempts(FAULT), 1.0, "finished").score == "pass@1 n/a: no attempt counts"
    assert summarize(pinned("0"), [], 1.0, "failed").score == "pass@1 n/a: no attempt counts"


def test_speech_and_turns_in_a_line() -> None:
    figures = {"june.words": 100, "june.words_wrong": 8, "june.seconds": 2, "sound.seconds": 10, "stock.seconds": 9}
    heard = Attempt(task="a", outcome=AttemptOutcome.MEASURED, figures=figures)
    missing = Attempt(task="b", outcome=AttemptOutcome.UNMEASURED)
    stt = summarize(pinned("a", "b", mode=Mode.STT), [heard, missing], 1.0, "finished")
    assert stt.score == (
        "june 8.0 % of words wrong, real-time factor 0.20; stock real-time factor 0.90; 1 recording, 1 not measured"
    )
    assert not stt.pass_at
    times = {"infer.p50_ms": 5, "total.p50_ms": 1234.4, "total.p95_ms": 2000, "total.p99_ms": 3000}
    counts = {"turns.said": 6, "turns.answered": 5, "turns.lost": 1, "turns.doubled": 0}
    turn = Attempt(task="a", outcome=AttemptOutcome.MEASURED, figures=times | counts)
    turns = summarize(pinned("a", mode=Mode.TURNS), [turn], 1.0, "finished")
    assert turns.score == (
        "total p50 1,234 ms, p95 2,000 ms, p99 3,000 ms; 5 of 6 messages answered, 1 lost, 0 doubled"
    )
    assert summarize(pinned("a", mode=Mode.TTS), [missing], 1.0, "failed").score == "0 measured, 1 not measured"


def test_attempts_are_in_the_data_sets_order_each_once_the_last_that_came() -> None:
    run = [
        Attempt(task="z", outcome=WRONG),
        Attempt(task="b", sample=1, outcome=WRONG),
        Attempt(task="b", outcome=FAULT),
        Attempt(task="a", outcome=WRONG),
        Attempt(task="b", outcome=SOLVED),
    ]
    found = sorted_attempts(run, ("b", "a"))
    assert [(one.task, one.sample) for one in found] == [("b", 0), ("b", 1), ("a", 0), ("z", 0)]
    assert found[0].outcome == SOLVED
