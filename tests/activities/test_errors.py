"""Bad input is not tried again, and its code and figures reach the workflow."""

import pytest

from activities.error_codes import ErrorCode, UnusableAudioError
from activities.errors import BadInputError, unusable_is_bad_input


def test_bad_input_is_final_and_has_its_code_and_figures() -> None:
    error = BadInputError(ErrorCode.AUDIO_TOO_LONG, "The audio is longer than 600 s.", limit_seconds=600)
    assert (error.type, error.non_retryable) == ("audio-too-long", True)
    assert error.details == ({"limit_seconds": 600},)


def test_audio_that_cannot_be_used_is_bad_input() -> None:
    with pytest.raises(BadInputError) as raised, unusable_is_bad_input():
        raise UnusableAudioError(ErrorCode.AUDIO_EMPTY, "The audio has no bytes.", size=0)
    assert (raised.value.type, raised.value.message) == ("audio-empty", "The audio has no bytes.")
    assert raised.value.details == ({"size": 0},)


def test_other_errors_pass() -> None:
    with pytest.raises(ConnectionError), unusable_is_bad_input():
        raise ConnectionError
