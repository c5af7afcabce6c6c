"""Put an answer together from the pieces of a stream: text to read, sentences to speak, thoughts kept apart."""

from typing import NamedTuple

from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.text.reasoning import Shown, Thoughts
from activities.text.sentences import SentenceStream
from activities.text.speakable import well_formed

MAX_THOUGHT_CHARS = 200_000
"""About 50,000 tokens; a model that thinks for longer is stopped."""


class Delta(NamedTuple):
    """A piece of a streamed completion; every field may be missing."""

    content: str = ""
    reasoning: str = ""
    """Thoughts, from servers that keep them apart (``reasoning``, or ``reasoning_content`` of older ones)."""
    finish_reason: str = ""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Answer:
    """An answer as it grows."""

    def __init__(self, language: str, max_chars: int, *, thinks_first: bool) -> None:
        """Begin an answer of at most ``max_chars`` characters; see Thoughts for ``thinks_first``."""
        self.sentences: list[str] = []
        """Finished sentences, in order."""
        self.began = False
        """Something was said, if only in thoughts."""
        self.full = False
        """A cap is reached: read no further."""
        self.retracted = False
        """Sentences already given turned out to be thoughts."""
        self.model = ""
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self._finish_reason = ""
        self._language, self._max_chars = language, max_chars
        self._text = ""
        self._stream = SentenceStream(language)
        self._thoughts = Thoughts(first=thinks_first)
        self._reasoning_chars = 0

    @property
    def text(self) -> str:
        """The answer for reading, in the model's own Markdown."""
        return well_formed(self._text).strip()

    @property
    def reasoning_chars(self) -> int:
        """Characters of thoughts."""
        return self._reasoning_chars + self._thoughts.chars

    @property
    def finish_reason(self) -> str:
        """Why the model ended: ``stop`` as a rule, ``length`` when its or june's limit was reached."""
        return "length" if self.full else self._finish_reason

    def add(self, delta: Delta) -> None:
        """Add the next piece of the stream."""
        if delta.reasoning and not self.began:
            self._thoughts = Thoughts()  # the server itself keeps thoughts apart
        self.began = self.began or bool(delta.content or delta.reasoning)
        self._reasoning_chars += len(delta.reasoning)
        self._finish_reason = delta.finish_reason or self._finish_reason
        self.model = delta.model or self.model
        self.prompt_tokens = delta.prompt_tokens if delta.prompt_tokens is not None else self.prompt_tokens
        self.completion_tokens = (
            delta.completion_tokens if delta.completion_tokens is not None else self.completion_tokens
        )
        self._show(self._thoughts.feed(delta.content))
        self.full = self.full or self.reasoning_chars > MAX_THOUGHT_CHARS

    def ahead(self) -> list[str]:
        """Return the sentences that seem to end where the text does now; see ``SentenceStream.ahead``."""
        return self._stream.ahead()

    def finish(self) -> None:
        """Add what was held back, the stream having ended.

        Raises:
            BadInputError: ``model-empty``, all tokens went into thoughts; another attempt would go the same way.
            ApplicationError: ``model-empty``, the model said nothing this time.

        """
        self._show(self._thoughts.finish())
        self.sentences += self._stream.finish()
        if self.text:
            return
        message = f"no answer, {self.reasoning_chars} characters of thoughts, finish reason {self.finish_reason}"
        if self.finish_reason == "length":
            raise BadInputError(ErrorCode.MODEL_EMPTY, message)
        raise ApplicationError(message, type=ErrorCode.MODEL_EMPTY.value)

    def _show(self, shown: Shown) -> None:
        if shown.replaces:
            self.retracted = self.retracted or bool(self.sentences)
            self._text, self.sentences, self._stream = "", [], SentenceStream(self._language)
        room = self._max_chars - len(self._text)
        self.full = self.full or len(shown.text) > room
        text = shown.text[:room]
        self._text += text
        self.sentences += self._stream.feed(text)
