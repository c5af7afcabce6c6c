"""Read what a model says to the coding agent, to its end or to the end of a budget."""

import time
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

from activities.language_model import Delta, LanguageModel, ModelRequest, ToolCallPiece
from activities.text.repetition import find_loop
from activities.text.speakable import well_formed
from agent.messages import ToolCall

MAX_CHARS = 200_000
MAX_THOUGHT_CHARS = 200_000
"""About 50,000 tokens."""
MAX_CALLS = 32
SPARE = 1.1
"""A server that closes thoughts at their budget by itself needs some tokens for that; others count differently."""
LOOP_STEP, LOOP_CHARS = 500, 6000
"""A loop is looked for after so many characters, in the last so many."""
CHARS_PER_TOKEN = 3
"""Where the server does not count."""
_OPENED, _CLOSED = "<think>", "</think>"


class Completion(NamedTuple):
    """What the model said."""

    content: str
    """Its text, without thoughts."""
    calls: tuple[ToolCall, ...]
    """In the order of their beginnings; arguments as they were written, damaged ones among them."""
    finish_reason: str
    """Why it ended, in the server's words (``stop``, ``length``, ``tool_calls``); ``repetition`` where june stopped
    it, as it wrote the same over and over."""
    thought_chars: int
    model: str
    prompt_tokens: int
    """All requests together, as the server counts them, or an estimate; so are the next."""
    completion_tokens: int
    """Thoughts among them."""
    first_token_ms: int | None
    """Milliseconds until the model began, if only to think."""
    engine_ms: int
    """Milliseconds until it ended."""

    @property
    def is_empty(self) -> bool:
        """Whether there is neither text nor a call, but at most thoughts."""
        return not self.content.strip() and not self.calls


async def read_completion(
    model: LanguageModel,
    request: ModelRequest,
    on_progress: Callable[[], None] | None = None,
    max_chars: int = MAX_CHARS,
) -> Completion:
    """Ask the model; where it has only thought, ask once more for the action alone, its thoughts closed.

    An empty completion is no error: whoever asked reads from ``finish_reason`` and ``thought_chars`` what was wrong.

    Args:
        model: whom to ask.
        request: what to ask.
        on_progress: called at each piece that says something; a server that hangs may go on to send empty ones.
        max_chars: longest text, its calls included, in characters; then the model is stopped.

    Raises:
        BadInputError: ``model-refused``; with ``reason="context"`` where the prompt is too long.
        ApplicationError: ``model-unavailable``, to be retried.

    """
    reading = _Reading(max_chars, on_progress)
    first = await reading.read(model, request)
    if not first.is_empty or not first.thought_chars or request.thoughts is not None:
        return first
    second = await reading.read(model, request._replace(thoughts=reading.thoughts, thinking_tokens=0))
    return second._replace(
        thought_chars=first.thought_chars + second.thought_chars,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
        first_token_ms=first.first_token_ms,
    )


class _Reading:
    """Reads completions, and measures them from the beginning of the first."""

    def __init__(self, max_chars: int, on_progress: Callable[[], None] | None) -> None:
        self._max_chars, self._on_progress = max_chars, on_progress
        self._started = time.monotonic()
        self.thoughts = ""
        """Of the last completion."""

    async def read(self, model: LanguageModel, request: ModelRequest) -> Completion:
        """Read a completion to its end, or to the end of a budget; the model is stopped there."""
        pieces = _Pieces(request, self._max_chars)
        first_token_ms = None
        async with aclosing(model.stream(request)) as deltas:
            async for delta in deltas:
                pieces.add(delta)
                if delta.content or delta.reasoning or delta.calls:
                    if first_token_ms is None:
                        first_token_ms = self._milliseconds()
                    if self._on_progress:
                        self._on_progress()
                if pieces.stopped:
                    break
        tagged, content = split_thoughts(pieces.content)
        self.thoughts = pieces.reasoning + tagged
        if request.thoughts is not None and not content.strip() and not pieces.calls and pieces.reasoning:
            # A server whose parser waits for the end of thoughts takes the answer for them.
            content, self.thoughts = pieces.reasoning, ""
        asked = sum(len(message.content) for message in request.messages) // CHARS_PER_TOKEN
        return Completion(
            content=well_formed(content).strip(),
            calls=tuple(ToolCall(*map(well_formed, call)) for call in pieces.calls),
            finish_reason=pieces.stopped or pieces.last.finish_reason or "stop",
            thought_chars=len(self.thoughts),
            model=pieces.last.model,
            prompt_tokens=asked if pieces.last.prompt_tokens is None else pieces.last.prompt_tokens,
            completion_tokens=pieces.count if pieces.last.completion_tokens is None else pieces.last.completion_tokens,
            first_token_ms=first_token_ms,
            engine_ms=self._milliseconds(),
        )

    def _milliseconds(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


class _Pieces:
    """Joins the pieces of one completion, within its budgets."""

    def __init__(self, request: ModelRequest, max_chars: int) -> None:
        self.content = self.reasoning = ""
        self.last = Delta()
        """The newest of what comes once."""
        self.stopped = ""
        """The finish reason of what june ends here; empty where it has not."""
        self.calls: list[ToolCall] = []
        self._places: dict[int, int] = {}
        self._max_chars = max_chars
        # Closed thoughts leave none to think; where the parser takes the answer for them, that is as long.
        closed = request.thoughts is not None
        self._max_thoughts = request.answer_tokens if closed else int(SPARE * request.thinking_tokens)
        self._max_pieces = int(SPARE * request.answer_tokens) + self._max_thoughts
        self.count = self._thoughts = self._answer = 0
        self._recent, self._unlooked = "", 0

    def add(self, delta: Delta) -> None:
        """Add the next piece."""
        self.content += delta.content
        self.reasoning += delta.reasoning
        for piece in delta.calls:
            self._add_call(piece)
        self.last = self.last._replace(**{name: value for name, value in delta._asdict().items() if value})
        thinks = bool(delta.reasoning) or (bool(delta.content) and _thinks(self.content))
        self._thoughts += thinks
        self._answer += not thinks and bool(delta.content or delta.calls)
        self.count = self._thoughts + self._answer
        self._bound()
        self._stop_loop(delta)

    def _add_call(self, piece: ToolCallPiece) -> None:
        """Add to the call of this index; another id begins another call, as some servers number none."""
        place = self._places.get(piece.number)
        if place is None or (piece.id and self.calls[place].id and piece.id != self.calls[place].id):
            if len(self.calls) == MAX_CALLS:
                self.stopped = "length"
                return
            place = self._places[piece.number] = len(self.calls)
            self.calls.append(ToolCall("", "", ""))
        call = self.calls[place]
        name = "" if piece.name == call.name else piece.name  # which some repeat with each piece
        self.calls[place] = ToolCall(call.id or piece.id, call.name + name, call.arguments + piece.arguments)

    def _bound(self) -> None:
        chars = len(self.content) + sum(len(call.name) + len(call.arguments) for call in self.calls)
        spent = self._thoughts > self._max_thoughts or len(self.reasoning) > MAX_THOUGHT_CHARS
        said = self._answer > 0
        if chars > self._max_chars or (spent and not said) or self.count > self._max_pieces:
            self.stopped = self.last.finish_reason or "length"

    def _stop_loop(self, delta: Delta) -> None:
        new = delta.reasoning + delta.content + "".join(piece.arguments for piece in delta.calls)
        self._recent = (self._recent + new)[-LOOP_CHARS:]
        self._unlooked += len(new)
        if self._unlooked >= LOOP_STEP and not self.last.finish_reason:
            self._unlooked = 0
            if find_loop(self._recent):
                self.stopped = "repetition"


def split_thoughts(content: str) -> tuple[str, str]:
    """Return the thoughts that a text begins with, and the rest of it.

    A server without a parser of thoughts sends them as text. Templates that open the tag themselves leave only the
    closing one; in an action, which is JSON, a tag is a part of what is written.
    """
    begun = content.lstrip()
    if begun.startswith(_OPENED):
        thoughts, _, rest = begun.removeprefix(_OPENED).partition(_CLOSED)
        return thoughts, rest
    if _CLOSED in begun and not begun.startswith(("{", "[", "```", "<tool_call>")):
        thoughts, _, rest = begun.partition(_CLOSED)
        return thoughts, rest
    return "", content


def _thinks(content: str) -> bool:
    """Return whether a text that grows is still within the thoughts that it begins with."""
    return content.lstrip().startswith(_OPENED) and _CLOSED not in content
