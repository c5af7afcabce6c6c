"""What the model is asked, fitted into its context window."""

from enum import StrEnum
from typing import NamedTuple


class Driver(StrEnum):
    """How a model is made to act."""

    TOOLS = "tools"
    SCHEMA = "schema"


class Window(NamedTuple):
    """How much a model reads and writes, in tokens."""

    context_tokens: int
    answer_tokens: int
    thinking_tokens: int
