"""Put an answer together from the pieces of a stream: text to read, sentences to speak, thoughts kept apart."""

# ruff: noqa: RUF001 - the marks of many scripts are meant as they are

import json
import re
from typing import NamedTuple

from activities.language_model import Delta
from activities.text.repetition import KEPT, find_loop, is_repeated
from activities.text.sentences import SentenceStream, split
from activities.text.speakable import well_formed
from activities.text.template_marks import Shown, TemplateMarks

CUT_MARK = "…"
"""Ends the text of an answer that was cut."""
MAX_THOUGHT_CHARS = 200_000
"""About 50,000 tokens; bounds what is kept, whatever a server sends in one piece."""
MAX_BLANK_CHARS = 400
"""A model that writes so many blanks in a row writes nothing else any more."""
LOOP_STEP = 100
"""Characters after which a loop is looked for."""
LIMITS = frozenset({"length", "max_tokens", "model_length"})
"""Finish reasons of answers that go on when they are asked to: OpenAI's, Anthropic's, Mistral's."""
_CUT = LIMITS | {"content_filter", "repetition"}
"""Those of answers that are not whole; the last is june's own."""
_WHOLE = re.compile(r"[.!?…:。！？؟।॥][\"'”’»)\]}*_~`」』）]*\Z")
_FENCE = re.compile(r"^[ \t>]*(```|~~~)", re.MULTILINE)
_FENCED = re.compile(r"\A```\w*\n(.*)\n```\Z", re.DOTALL)
_MAX_TOOL_CALL_CHARS = 5_000


class Bounds(NamedTuple):
    """How long an answer may be, and the thoughts before it; a model that goes on is stopped."""

    chars: int
    tokens: int
    """Of the answer; counted in pieces, which hold a token each as a rule."""
    thought_tokens: int


class Answer:
    """An answer as it grows."""

    def __init__(self, language: str, bounds: Bounds, *, thinks_first: bool = False) -> None:
        """Begin an answer; see ``TemplateMarks`` for ``thinks_first``."""
        self.sentences: list[str] = []
        """Finished sentences to speak, in order; of what is said over and over the first times."""
        self.began = False
        """Something was said, if only in thoughts."""
        self.retracted = False
        """Sentences already given turned out to be thoughts."""
        self.reasoning = ""
        """Thoughts that the server itself has kept apart."""
        self.model = ""
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.thoughts_spent = False
        """The thoughts have taken all that they may."""
        self._language, self._bounds = language, bounds
        self._finish_reason = ""
        self._stopped = False
        self._text = self._tagged = ""
        self._said: list[str] = []
        self._stream = SentenceStream(language)
        self._marks = TemplateMarks(thinks_first=thinks_first)
        self._tokens = self._thought_tokens = self._looked = 0

    @property
    def text(self) -> str:
        """The answer for reading, in the model's own Markdown."""
        text = well_formed(self._text).strip()
        if self.cut:
            text = text.rstrip("\ufffd").rstrip()  # half a character
        return marked_as_cut(text) if self.cut and text else text

    @property
    def thoughts(self) -> str:
        """All thoughts: those that the server kept apart, and those between tags."""
        return self.reasoning + self._tagged

    @property
    def thought_chars(self) -> int:
        """Characters of thoughts; asked for at each piece, which must not copy them."""
        return len(self.reasoning) + len(self._tagged)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said to the user: nothing at all, thoughts alone, or a tool call written as text."""
        return not self._text.strip() or _is_tool_call(self._text.strip())

    @property
    def called_tool(self) -> bool:
        """Whether the model has called a tool instead of answering; june offers none here."""
        by_protocol = self._finish_reason in {"tool_calls", "function_call"}
        return by_protocol or self._marks.called_tool or _is_tool_call(self._text.strip())

    @property
    def finish_reason(self) -> str:
        """Why the model ended, in the server's words (``stop`` if it gave none); ``length``, ``repetition`` by june."""
        return self._finish_reason or "stop"

    @property
    def cut(self) -> bool:
        """Whether the answer ends before its end, at a limit of june's or of the server's."""
        return self._finish_reason in _CUT

    @property
    def complete(self) -> bool:
        """Whether nothing more is to be read: a bound was reached, or the model's turn is over."""
        return self._marks.ended or self.thoughts_spent or self._stopped

    def add(self, delta: Delta) -> None:
        """Add the next piece of the stream."""
        if delta.reasoning and not self.began:
            self._marks = TemplateMarks()  # the server itself keeps thoughts apart
        self.began = self.began or bool(delta.content or delta.reasoning)
        self.reasoning = (self.reasoning + delta.reasoning)[: MAX_THOUGHT_CHARS + 1]
        self._finish_reason = delta.finish_reason or self._finish_reason
        self.model = delta.model or self.model
        self.prompt_tokens = delta.prompt_tokens if delta.prompt_tokens is not None else self.prompt_tokens
        self.completion_tokens = (
            delta.completion_tokens if delta.completion_tokens is not None else self.completion_tokens
        )
        thinks = self._marks.thinking
        self._show(self._marks.feed(delta.content))
        self._count(delta, thinks=thinks and self._marks.thinking)

    def ahead(self) -> list[str]:
        """Return the sentences that seem to end where the text does now; see ``SentenceStream.ahead``."""
        return self._stream.ahead()

    def finish(self) -> None:
        """Add what was held back, the stream having ended; of an answer that was cut no half sentence is spoken."""
        self._show(self._marks.finish())
        rest = self._stream.finish()
        if self._finish_reason == "repetition":
            rest = [] if self.sentences else list(split(self._text, self._language))
        elif self.cut and rest and (self.sentences or len(rest) > 1) and not _WHOLE.search(self._text.rstrip()):
            rest.pop()
        self._speak(rest)

    def cut_off(self) -> None:
        """End the answer here, although the model still writes: there is no more time."""
        self._finish_reason, self._stopped = "length", True

    def take_reasoning(self) -> None:
        """Make the thoughts that the server kept apart the answer: none were asked for."""
        self._text, self.reasoning = self.reasoning[: self._bounds.chars], ""
        self._speak(list(split(self._text, self._language)))

    def _count(self, delta: Delta, *, thinks: bool) -> None:
        self._thought_tokens += bool(delta.reasoning) or (thinks and bool(delta.content))
        self._tokens += bool(delta.content) and not thinks
        if self._thought_tokens > self._bounds.thought_tokens or self.thought_chars > MAX_THOUGHT_CHARS:
            self.thoughts_spent = not self._text.strip()
        # A server that counts differently, and has ended by itself, is believed.
        if self._tokens > self._bounds.tokens and not self._finish_reason:
            self._finish_reason, self._stopped = "length", True

    def _show(self, shown: Shown) -> None:
        if shown.replaces:
            self.retracted = self.retracted or bool(self._said)
            self._tagged += self._text
            self._text, self._looked = "", 0
            self.sentences, self._said, self._stream = [], [], SentenceStream(self._language)
        self._tagged = (self._tagged + shown.thoughts)[: MAX_THOUGHT_CHARS + 1]
        room = self._bounds.chars - len(self._text)
        text = shown.text[:room]
        self._text += text
        self._speak(self._stream.feed(text))
        if len(shown.text) > room:
            self._finish_reason, self._stopped = "length", True
            if not shown.text[room].isspace():
                self._text = re.sub(r"(?<=\s)\S{1,60}\Z", "", self._text)  # half a word
        elif self._text and self._text[-MAX_BLANK_CHARS:].isspace() and len(self._text) > MAX_BLANK_CHARS:
            self._finish_reason, self._stopped = "repetition", True
        else:
            self._stop_loop()

    def _stop_loop(self) -> None:
        """Stop a model that says the same over and over, and keep the first few times of it."""
        end = len(self._text)
        while self._looked + LOOP_STEP <= end:  # at the same places however the text arrives
            self._looked += LOOP_STEP
            loop = find_loop(self._text[: self._looked])
            if loop:
                self._text = self._text[: loop.start + KEPT * loop.period].rstrip()
                self._finish_reason, self._stopped = "repetition", True
                return

    def _speak(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if not is_repeated(self._said, sentence):
                self.sentences.append(sentence)
            self._said.append(sentence)


def marked_as_cut(text: str) -> str:
    """Return the Markdown of an answer that ends before its end, with a mark that says so; code is ended before it."""
    fences = _FENCE.findall(text)
    return f"{text}\n{fences[-1]}\n{CUT_MARK}" if len(fences) % 2 else f"{text} {CUT_MARK}"


def _is_tool_call(text: str) -> bool:
    """Return whether a whole answer is a tool call in JSON, as small models write it: bare, or as a block of code."""
    if text.startswith("functools["):
        return True
    fenced = _FENCED.match(text)
    text = fenced[1].strip() if fenced else text
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _MAX_TOOL_CALL_CHARS:
        return False
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(call, dict) and set(call) in ({"name", "arguments"}, {"name", "parameters"})
