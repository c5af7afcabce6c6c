"""Infer an answer, sentence by sentence."""

from typing import Literal

from activities.references import Value


class Message(Value):
    """One message of a prompt, as OpenAI-compatible servers take them."""

    role: Literal["system", "user", "assistant"]
    content: str


class InferRequest(Value):
    """What to ask the model."""

    messages: tuple[Message, ...]
    model: str | None = None
    """None: the worker's default."""
    max_tokens: int = 400
    temperature: float = 0.3
    signal_sentences: bool = False
    """Signal each finished sentence (all but the last) to the calling workflow, signal name ``sentence``."""


class Inference(Value):
    """What the model said."""

    answer: str
    """For reading: Markdown as written, thoughts removed, capped."""
    sentences: tuple[str, ...]
    """For speaking: plain prose, a sentence each; empty when nothing can be spoken (only code, say)."""
    model: str
    finish_reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_chars: int = 0
    """Length of the thoughts that were kept apart, in characters."""
    first_token_ms: int | None = None
    engine_ms: int = 0
    attempt: int = 1
