"""What a server told of a prompt that is too long."""

from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.language_model import TooLong, too_long


def test_a_prompt_that_is_too_long_is_told_apart() -> None:
    sizes = {"prompt_tokens": 5000, "context_tokens": 4096}
    error = BadInputError(ErrorCode.MODEL_REFUSED, "no", status=400, reason="context", **sizes)
    assert too_long(error) == TooLong(5000, 4096)
    assert too_long(BadInputError(ErrorCode.MODEL_REFUSED, "no", reason="context")) == TooLong(None, None)
    assert too_long(BadInputError(ErrorCode.MODEL_REFUSED, "no", status=404)) is None
    assert too_long(ApplicationError("no", {"reason": "context"}, type=ErrorCode.MODEL_UNAVAILABLE.value)) is None
    assert too_long(ApplicationError("no", "context", type=ErrorCode.MODEL_REFUSED.value)) is None
