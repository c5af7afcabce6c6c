"""The one way an activity fails for good; everything else that it raises is transient, and Temporal's to retry.

Retries are capped at the call.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode, UnusableAudioError

__all__ = ["BadInputError", "ErrorCode", "unusable_is_bad_input"]


class BadInputError(ApplicationError):
    """Input that no retry can mend. Workflows read the code from ``type``."""

    def __init__(self, code: ErrorCode, message: str, **params: float | int | str) -> None:
        """Fail for good with this code.

        Args:
            code: stable code, becomes the failure's ``type``.
            message: one sentence for operators; never the user's words.
            params: figures for the user's sentence, such as ``limit_seconds=600``.

        """
        super().__init__(message, params, type=code.value, non_retryable=True)


@contextmanager
def unusable_is_bad_input() -> Iterator[None]:
    """Handle audio within an activity: what ``activities.audio.codec`` refuses, no retry can mend.

    Raises:
        BadInputError: instead of an ``UnusableAudioError`` with the same code.

    """
    try:
        yield
    except UnusableAudioError as error:
        raise BadInputError(error.code, error.message, **error.params) from error
