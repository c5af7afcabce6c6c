"""The activity ``measure_turns``."""

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import AttemptOutcome, Mode
from activities.speech.turns import TurnsActivity, TurnTimes, figures_of, percentile
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
        assert (attempt.passed, attempt.total) == (4, 6)
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


def test_percentiles_and_lost() -> None:
    assert [percentile(range(1, 101), percent) for percent in (50, 95, 99)] == [50, 95, 99]
    assert figures_of([None], [], 1.0)["turns.lost"] == 1
