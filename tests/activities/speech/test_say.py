"""The activity ``say``."""

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import Mode
from activities.speech.say import SayActivity
from activities.synthesize import Speech, SynthesizeRequest
from activities.values import BlobRef
from tests.support.speech_runs import asked

REF = BlobRef(key="bench/run/a.ogg", mime="audio/ogg", bytes=1, seconds=1, sample_rate=48_000)


async def test_a_text_is_said_in_its_language_and_an_unknown_task_not_at_all() -> None:
    said: list[SynthesizeRequest] = []

    async def synthesize(request: SynthesizeRequest) -> Speech:
        said.append(request)
        return Speech(audio=REF, engine_ms=5)

    say = SayActivity(synthesize).say
    assert await ActivityEnvironment().run(say, asked("de-01", Mode.TTS)) == Speech(audio=REF, engine_ms=5)
    assert await ActivityEnvironment().run(say, asked("none", Mode.TTS)) is None
    assert [(one.platform, one.chat, one.thread, one.language, one.text) for one in said] == [
        ("bench", "run", "de-01.0", "de", "Schalte das Wohnzimmerlicht ein.")
    ]
