"""What benchmarks of speech recognize by."""

from activities.audio.codec import decode
from activities.speech.recognizers import JUNE, STOCK, Engines
from tests.support.speech_runs import MODELS
from workers.engines.noop import NoopRecognizer


def test_a_column_has_a_recognizer_and_a_mode_what_it_measures() -> None:
    engines = Engines(lambda _column: NoopRecognizer(), decode, MODELS)
    assert JUNE != STOCK
    assert engines.recognizer(STOCK)
    assert {mode.value for mode in engines.models} == {"stt", "tts", "turns"}
