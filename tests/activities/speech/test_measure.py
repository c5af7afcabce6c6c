"""The activities ``measure`` and ``plan_speech``."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import AttemptOutcome, Mode
from activities.blobs import BlobStore
from activities.speech.measure import Engines, MeasureActivity
from activities.speech.requests import PlanSpeechRequest
from tests.support.speech_runs import asked
from workers.engines.noop import NoopRecognizer


def measuring() -> MeasureActivity:
    return MeasureActivity(Engines(lambda _column: NoopRecognizer()), BlobStore.open("memory://"))


async def test_columns_are_counted_and_stock_is_always_one() -> None:
    attempt = await ActivityEnvironment().run(measuring().measure, asked("en-02@10dB"))
    assert attempt.outcome is AttemptOutcome.MEASURED
    assert attempt.figures["june.words"] == attempt.figures["stock.words"] == 6
    assert attempt.figures["june.words_wrong"] == 6
    assert attempt.answer


async def test_what_cannot_be_measured_says_why() -> None:
    for request in (asked("none"), asked("en-01", data_sha256="other"), asked("en-01", Mode.TTS)):
        attempt = await ActivityEnvironment().run(measuring().measure, request)
        assert attempt.outcome is AttemptOutcome.UNMEASURED
        assert attempt.why


async def test_plans() -> None:
    plan = measuring().plan_speech
    stt = await ActivityEnvironment().run(plan, PlanSpeechRequest(mode=Mode.STT, data_set="june-speech", first=4))
    assert stt.tasks == ("en-01", "en-01@10dB", "en-01@5dB", "en-02")
    with pytest.raises(ApplicationError, match="neither"):
        await ActivityEnvironment().run(plan, PlanSpeechRequest(mode=Mode.STT, data_set="none"))
