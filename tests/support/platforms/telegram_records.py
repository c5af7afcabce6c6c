"""What the project's own Bot API server records of calls and messages, and how a call is made to fail."""

from dataclasses import dataclass, field

from tests.support.platforms.telegram_forms import Params, RefusedError, cut_out


@dataclass
class Fault:
    """What happens to the next call of a method."""

    refusal: RefusedError | None = None
    hang_before: bool = False
    """No answer, and nothing done."""
    hang_after: bool = False
    """Done, and no answer."""
    drop_after: bool = False
    """Done, and the connection closed."""
    body: str | None = None
    """Nothing done, and answered with status 200 and this."""
    chat: int | None = None
    """Only a call about this chat counts."""


@dataclass
class Call:
    """A call that came in."""

    method: str
    params: Params
    at: float
    """In seconds of a clock that only runs forward."""

    @property
    def chat(self) -> int:
        return int(self.params["chat_id"])


@dataclass
class Post:
    """A message in a chat, by the bot or by a person; its text may be a caption."""

    chat: int
    message_id: int
    by_bot: bool
    text: str = ""
    media: bytes = b""
    params: Params = field(default_factory=dict)
    at: float = 0.0
    edits: int = 0
    entities: list[Params] = field(default_factory=list)

    @property
    def marked(self) -> list[tuple[str, str]]:
        """What is formatted: how, and which text."""
        return [(entity["type"], cut_out(self.text, entity)) for entity in self.entities]

    @property
    def thread(self) -> int | None:
        return int(self.params["message_thread_id"]) if "message_thread_id" in self.params else None

    @property
    def answers(self) -> int | None:
        """Which message this one replies to."""
        replied: int | None = self.params.get("reply_parameters", {}).get("message_id")
        return replied
