"""Options of the modes of speech."""

import pytest

from activities.benchmarks.attempts import Mode
from activities.speech.options import OptionsError, RecognitionOptions, TurnOptions, options_of


@pytest.mark.parametrize(
    ("columns", "names"),
    [("june", ("june", "stock")), ("stock", ("stock",)), (" small, june,,small", ("small", "june", "stock"))],
)
def test_stock_is_always_a_column_and_each_is_one(columns: str, names: tuple[str, ...]) -> None:
    options = options_of(Mode.STT, {"columns": columns})
    assert isinstance(options, RecognitionOptions)
    assert options.names == names


def test_numbers_come_as_temporal_gives_them() -> None:
    options = options_of(Mode.TURNS, {"chats": 3.0, "per_minute": 6})
    assert isinstance(options, TurnOptions)
    assert (options.chats, options.messages, options.per_minute) == (3, 3, 6.0)


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        (Mode.STT, {"column": "june"}),
        (Mode.STT, {"language": "de"}),
        (Mode.STT, {"columns": "a,b,c,d,e,f"}),
        (Mode.TTS, {"columns": "june"}),
        (Mode.TURNS, {"chats": 0.0}),
        (Mode.TURNS, {"chats": 1.5}),
        (Mode.TURNS, {"chats": 500, "messages": 1000}),
        (Mode.COMPLETION, {}),
    ],
)
def test_what_no_mode_takes_is_refused(mode: Mode, given: dict[str, float | str]) -> None:
    with pytest.raises(OptionsError, match=mode.value):
        options_of(mode, given)
