"""Messages of a prompt, as OpenAI-compatible servers take them."""

from typing import Literal, NamedTuple


class ToolCall(NamedTuple):
    """A call that the model has made."""

    id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it: anything, where the server enforces nothing."""


class Message(NamedTuple):
    """One message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message."""
    call_id: str = ""
    """Of a tool's message: the call that it answers."""
