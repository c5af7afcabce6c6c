"""A prompt's messages, as OpenAI's protocol has them."""

from typing import Literal, NamedTuple


class ToolCall(NamedTuple):
    """A tool that the model called."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it, which may be damaged."""


class Message(NamedTuple):
    """One message of a prompt."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant."""
    call_id: str = ""
    """Role ``tool``: the call that this is the result of."""
