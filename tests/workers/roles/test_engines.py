"""Which engines serve, by the settings; the real ones are in tests/workers/engines."""

from pathlib import Path

import pytest

from workers.engines.espeak import EspeakSynthesizer, EspeakUnavailableError
from workers.engines.noop import NoopSynthesizer
from workers.models.catalogue import ModelError
from workers.roles.engines import load_hearing, load_infer, load_synthesize, load_transcribe


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without models."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))


async def test_without_engines_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_ENGINES", "none")
    infer, warm_up = await load_infer()
    assert warm_up is None
    assert [a.__name__ for a in await load_hearing()] == ["transcribe", "measure", "plan_speech"]
    assert [a.__name__ for a in (await load_transcribe(), await load_synthesize(), infer)] == [
        *("transcribe", "synthesize", "infer"),
    ]


@pytest.mark.slow
async def test_the_model_alone_can_be_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_ENGINES", "model")
    _, warm_up = await load_infer()
    assert warm_up is not None
    assert [a.__name__ for a in (await load_transcribe(), await load_synthesize())] == ["transcribe", "synthesize"]


@pytest.mark.slow
async def test_real_engines_name_the_model_that_is_missing() -> None:
    with pytest.raises(ModelError, match="whisper-base"):
        await load_transcribe()
    with pytest.raises(ModelError, match="en_US-joe-medium"):
        await load_synthesize()


@pytest.mark.slow
async def test_the_model_is_warmed_beside_the_worker() -> None:
    infer, warm_up = await load_infer()
    assert infer.__name__ == "infer"
    assert warm_up is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fallback", "opens", "has_one"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_the_fallback_is_there_unless_it_cannot_be_or_shall_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fallback: bool, opens: bool, has_one: bool
) -> None:
    def open_nothing() -> None:
        raise EspeakUnavailableError("no symbols")

    monkeypatch.setenv("JUNE_PIPER_FALLBACK", str(fallback))
    monkeypatch.setattr("workers.engines.piper.PiperSynthesizer", lambda *_: NoopSynthesizer())
    if not opens:
        monkeypatch.setattr("workers.engines.espeak.open_library", open_nothing)
    made: list[object] = []
    monkeypatch.setattr("workers.engines.multilingual.MultilingualSynthesizer", lambda *engines: made.extend(engines))
    await load_synthesize()
    assert isinstance(made[1], EspeakSynthesizer) is has_one
    assert ("no symbols" in caplog.text) is not opens
