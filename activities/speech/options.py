"""Options of the modes of speech: what is mistyped is refused before anything is measured."""

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, ValidationError, model_validator

from activities.benchmarks.attempts import Mode
from activities.speech.recognizers import JUNE, STOCK
from activities.values import Value

MAX_COLUMNS = 6
MAX_MESSAGES = 20_000


class OptionsError(Exception):
    """Options that no mode has, or values that none takes; the text says which."""


class RecognitionOptions(Value):
    """Of the mode ``stt``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: str = JUNE
    """Recognizers, separated by commas; ``stock`` is always one of them."""
    language: Literal["detected", "known"] = "detected"
    """Whether recognizers find the language out, as with a voice note, or are told it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, each once, in the order of the report."""
        return tuple(dict.fromkeys(filter(None, [*(name.strip() for name in self.columns.split(",")), STOCK])))

    @model_validator(mode="after")
    def _are_not_too_many(self) -> Self:
        if len(self.names) > MAX_COLUMNS:
            raise ValueError(f"there are more than {MAX_COLUMNS} columns")
        return self


class SpeakingOptions(Value):
    """Of the mode ``tts``: none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TurnOptions(Value):
    """Of the mode ``turns``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chats: int = Field(default=2, ge=1, le=500)
    messages: int = Field(default=3, ge=1, le=1000)
    """Of each chat."""
    per_minute: float = Field(default=0.0, ge=0, le=6000)
    """Messages that arrive in all, at random moments that follow from the seed; 0: each chat waits for its answer."""
    language: str = "en"
    """ISO 639-1 code of the recordings that are asked."""
    lost_after_seconds: float = Field(default=300.0, gt=0, le=3600)
    """A message without a result for so long is lost."""
    twice_every: int = Field(default=5, ge=0)
    """So many messages apart, one is handed over twice, as platforms do; 0: none is."""

    @model_validator(mode="after")
    def _are_not_too_many(self) -> Self:
        if self.chats * self.messages > MAX_MESSAGES:
            raise ValueError(f"there are more than {MAX_MESSAGES:,} messages")
        return self


SpeechOptions: TypeAlias = RecognitionOptions | SpeakingOptions | TurnOptions
_OF_MODES: dict[Mode, type[SpeechOptions]] = {
    Mode.STT: RecognitionOptions,
    Mode.TTS: SpeakingOptions,
    Mode.TURNS: TurnOptions,
}


def options_of(mode: Mode, given: Mapping[str, float | str]) -> SpeechOptions:
    """Read the options of a mode of speech.

    Raises:
        OptionsError: it has none of that name, or takes no such value; or it is no mode of speech.

    """
    if mode not in _OF_MODES:
        raise OptionsError(f"{mode.value} is no mode of speech.")
    try:
        return _OF_MODES[mode].model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors())
        raise OptionsError(f"The mode {mode.value} does not take these options: {wrong}.") from error
