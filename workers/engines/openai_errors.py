"""What goes wrong with a model server, named: the one place that maps its client's errors to june's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus

import httpx2
import openai
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from workers.engines.completion_stream import StreamError

_MAX_RETRY_AFTER_SECONDS = 60.0
_MAX_MESSAGE_CHARS = 300
_MIN_KEY_CHARS = 8
"""Shorter ones are the placeholders of servers without keys, and may be part of any word."""
_TRANSIENT = frozenset({408, 409, 425, 429})
"""The 4xx answers that a later attempt may not get."""
_CONTEXT = re.compile(
    r"context[ _-]?(?:length|size|window|shift)|maximum context|max_model_len|n_ctx|max_new_tokens.{0,40}must be"
    r"|`inputs` must have|input token count|(?:prompt|input|request) (?:is )?too (?:long|large)|too many tokens"
    r"|reduce the length",
    re.IGNORECASE,
)
"""As llama.cpp, LM Studio, vLLM, SGLang, TGI, Groq, OpenAI, Anthropic and Google word it."""
ROLES = re.compile(
    r"system.{0,40}\brole|\brole.{0,40}system|roles must alternate|only (?:user and assistant|support).{0,40}roles?",
    re.IGNORECASE,
)
"""As templates word it that know no system prompt."""


class Refusal(Exception):  # noqa: N818 - it may be mended by asking in another way
    """The server refuses a request as it is."""

    def __init__(self, status: int, message: str, body: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        """The server's words in one line, capped, without the key."""
        self.body = body
        """All that it said, for reading figures and names of fields; never shown."""

    @property
    def of_context(self) -> bool:
        """Whether the prompt, or prompt and answer together, are too long for it."""
        return bool(_CONTEXT.search(self.message)) or self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def final(self) -> BadInputError:
        """Return the error for a request that the server will never answer."""
        reason = {"reason": "context"} if self.of_context else {}
        text = f"the model server answered {self.status}"
        return BadInputError(ErrorCode.MODEL_REFUSED, text, status=self.status, said=self.message, **reason)


@contextmanager
def errors_named(api_key: str) -> Iterator[None]:
    """Map everything that the client raises.

    ``from None``: a cause would go into the history as well, with the server's whole answer in it.

    Raises:
        Refusal: the server refuses the request as it is.
        ApplicationError: ``model-unavailable``, to be retried.

    """
    try:
        yield
    except openai.APIStatusError as error:
        retry_after = error.response.headers.get("retry-after", "")
        raise status_error(error.status_code, error.body or error.message, api_key, retry_after) from None
    except StreamError as error:
        code = error.body.get("code") if isinstance(error.body, dict) else None
        status = int(str(code)) if str(code).isdecimal() else HTTPStatus.INTERNAL_SERVER_ERROR
        raise status_error(status, error.body, api_key) from None
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError):
        raise unavailable("the model server was silent for too long") from None
    except openai.APIConnectionError as error:
        raise unavailable(f"no connection to the model server: {type(error.__cause__).__name__}") from None
    except httpx2.HTTPError as error:
        raise unavailable(f"the connection to the model server broke off: {type(error).__name__}") from None
    except (ValueError, RecursionError) as error:  # JSON, and Unicode within it
        raise unavailable(f"the model server sent a chunk that is not JSON: {type(error).__name__}") from None


def status_error(status: int, body: object, api_key: str = "", retry_after: str = "") -> ApplicationError | Refusal:
    """Return the error for a status; of ``Retry-After``, dates are rare enough to be left to the retry policy."""
    message = _message(body, api_key)
    by_prompt = bool(_CONTEXT.search(message) or ROLES.search(message))  # which llama.cpp may answer with a 500
    if by_prompt and status >= HTTPStatus.BAD_REQUEST and status not in _TRANSIENT:
        return Refusal(status, message, str(body)[: 10 * _MAX_MESSAGE_CHARS])
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
        seconds = float(retry_after) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", retry_after) else 0.0
        return unavailable(
            f"the model server answered {status}",
            timedelta(seconds=min(seconds, _MAX_RETRY_AFTER_SECONDS)) if seconds > 0 else None,
            said=message,
        )
    return Refusal(status, message, str(body)[: 10 * _MAX_MESSAGE_CHARS])


def unavailable(message: str, retry_after: timedelta | None = None, said: str = "") -> ApplicationError:
    """Return the error for a failure of the server that a later attempt may not meet.

    What the server said is a detail, which is in the history alone: it may repeat the prompt, and messages are logged.
    """
    details = [{"said": said}] if said else []
    return ApplicationError(message, *details, type=ErrorCode.MODEL_UNAVAILABLE.value, next_retry_delay=retry_after)


def _message(body: object, api_key: str) -> str:
    """Return the server's own words in one line, capped, and never with the key in them."""
    if isinstance(body, dict):
        body = body.get("error") if isinstance(body.get("error"), dict) else body
        body = body.get("message") or body.get("detail") or body  # type: ignore[union-attr]
    text = " ".join(str(body)[: 10 * _MAX_MESSAGE_CHARS].split())
    return (text.replace(api_key, "***") if len(api_key) >= _MIN_KEY_CHARS else text)[:_MAX_MESSAGE_CHARS]
