"""Which engines serve, by the settings; the real ones are in tests/workers/engines."""

from pathlib import Path

import pytest

from workers.models.catalogue import ModelError
from workers.roles.engines import build_infer, load_synthesize, load_transcribe


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without models."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))


async def test_without_engines_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_ENGINES", "none")
    infer, warm_up = build_infer()
    assert warm_up is None
    assert [a.__name__ for a in (await load_transcribe(), await load_synthesize(), infer)] == [
        *("transcribe", "synthesize", "infer"),
    ]


@pytest.mark.slow
async def test_real_engines_name_the_model_that_is_missing() -> None:
    with pytest.raises(ModelError, match="whisper-base"):
        await load_transcribe()
    with pytest.raises(ModelError, match="en_US-joe-medium"):
        await load_synthesize()


@pytest.mark.slow
async def test_the_model_is_warmed_beside_the_worker() -> None:
    infer, warm_up = build_infer()
    assert infer.__name__ == "infer"
    assert warm_up is not None
