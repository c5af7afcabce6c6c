"""The activity ``measure_turns``."""

import asyncio

import pytest
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import AttemptOutcome, Mode
from activities.speech.turns import TurnsActivity, TurnTimes, arrivals, figures_of
from tests.support.speech_runs import asked


class Chats:
    """Chats that answer at once, except the message ``m1`` of each."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.forgotten: list[str] = []

    async def open(self, chat: str) -> None:
        """Nothing to begin."""

    async def say(self, chat: str, message: str, audio: bytes) -> None:
        assert audio
        self.said.append((chat, message))

    async def result(self, chat: str, message: str) -> TurnTimes:  # noqa: ARG002
        return TurnTimes(message != "m1", {"infer": 5.0})

    async def replies(self, chat: str, message: str) -> int:  # noqa: ARG002
        return 2 if message == "m0" else 1

    async def forget(self, chat: str) -> None:
        self.forgotten.append(chat)


async def test_chats_are_counted_and_forgotten() -> None:
    for pace in (0.0, 6000.0):
        chats, options = Chats(), {"chats": 2.0, "messages": 3.0, "per_minute": pace, "twice_every": 5.0}
        attempt = await ActivityEnvironment().run(
            TurnsActivity(chats).measure_turns, asked("turns", Mode.TURNS, options=options)
        )
        assert attempt.outcome is AttemptOutcome.MEASURED
        counts = [attempt.figures[f"turns.{name}"] for name in ("said", "answered", "failed", "lost", "doubled")]
        assert counts == [6, 4, 2, 0, 2]
        assert attempt.figures["infer.p99_ms"] == 5
        assert len(chats.said) == 8, "two of six are handed over twice"
        assert len(set(chats.forgotten)) == 2


async def test_options_that_cannot_be_run_are_told() -> None:
    for options in ({"chats": 0.0}, {"language": "xx"}):
        attempt = await ActivityEnvironment().run(
            TurnsActivity(Chats()).measure_turns, asked("turns", Mode.TURNS, options=options)
        )
        assert attempt.outcome is AttemptOutcome.UNMEASURED
        assert attempt.why


async def test_a_mode_without_turns_and_a_run_without_answers() -> None:
    attempt = await ActivityEnvironment().run(TurnsActivity(Chats()).measure_turns, asked("turns"))
    assert attempt.why == "The mode stt has no turns."
    silent = {"chats": 1.0, "messages": 2.0, "lost_after_seconds": 0.01}

    class Silent(Chats):
        async def result(self, chat: str, message: str) -> TurnTimes:  # noqa: ARG002
            await asyncio.sleep(60)
            raise AssertionError

    attempt = await ActivityEnvironment().run(
        TurnsActivity(Silent()).measure_turns, asked("turns", Mode.TURNS, options=silent)
    )
    assert (attempt.outcome, attempt.why) == (AttemptOutcome.UNMEASURED, "No message was answered.")
    assert attempt.figures["turns.lost"] == 2


def test_arrivals_follow_from_the_seed_and_come_at_their_rate() -> None:
    moments = arrivals(1000, 30, 1)
    assert (moments[0], moments) == (0, sorted(moments))
    assert moments == arrivals(1000, 30, 1) != arrivals(1000, 30, 2)
    assert moments[-1] == pytest.approx(2000, rel=0.1)


def test_percentiles_and_lost() -> None:
    found = figures_of([TurnTimes(True, {"infer": value}) for value in range(101)], [], 60.0)
    assert [found[f"infer.{name}"] for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms", "turns")] == [
        *(50, 95, 99, 100, 101),
    ]
    assert found["turns.per_minute"] == 101
    assert figures_of([None], [], 1.0)["turns.lost"] == 1
