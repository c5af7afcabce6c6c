"""Conversations and their turns: requests, results, what queries answer. Imports nothing heavy."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator
from temporalio import workflow
from temporalio.common import SearchAttributePair

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.values import Address, AudioSource, BlobRef, Identifier, Value
    from workflows.names import CHAT, PLATFORM, STAGE, Stage, chat_key


class ReplyMode(StrEnum):
    """When june speaks."""

    OFF = "off"
    """Text only."""
    ON = "on"
    """A voice note answers a voice note."""
    ALWAYS = "always"
    """Text is answered by voice as well."""


class Layout(StrEnum):
    """How a spoken answer comes."""

    TEXT = "text"
    """The text as a message, and then the voice note."""
    CAPTION = "caption"
    """One message: the voice note with the text as its caption, where the platform's captions hold it."""


class ChatSettings(Value):
    """What a chat has chosen; kept by its Conversation."""

    reply_mode: ReplyMode = ReplyMode.ON
    layout: Layout = Layout.TEXT
    voice: str | None = Field(default=None, max_length=60)
    """Name of a voice in the model registry; None is the default of the answer's language."""
    language: str | None = Field(default=None, max_length=8)
    """ISO 639-1 code of what is spoken; None detects it."""
    model: str | None = Field(default=None, max_length=120)
    """Model name sent to the model server; None is the server's default."""
    system_prompt: str | None = Field(default=None, max_length=4000)
    temperature: float = Field(default=0.3, ge=0, le=2)


class Limits(Value):
    """What one chat may ask for."""

    waiting: int = Field(default=10, ge=1)
    """Messages that may wait behind the one being answered."""
    messages_per_minute: int = Field(default=20, ge=1)


class Exchange(Value):
    """One remembered turn."""

    user: str
    assistant: str


class Memory(Value):
    """What the model is told of the conversation so far: a summary, and the last turns word for word."""

    summary: str = ""
    window: tuple[Exchange, ...] = ()


class VoiceMessageRequest(Value):
    """A message to answer: what a bot signals to Conversation, and what VoiceMessage is started with."""

    platform: Identifier = "file"
    chat: Identifier = "by-hand"
    thread: Identifier | None = None
    message: Identifier = "1"
    """The platform's id of the message; the same id is answered once."""
    user: Identifier | None = None
    """The platform's id of the sender, whose use of june is counted; None counts nobody's."""
    sender: str = Field(default="", max_length=120)
    """Display name, for people who look into the Web UI, and for the model in a shared chat."""
    shared: bool = False
    """Several people talk in this chat: the model is told who says what."""
    quoted: str | None = Field(default=None, max_length=2000)
    """Text of the message that this one replies to, told to the model."""
    remark: str | None = Field(default=None, max_length=2000)
    """What was written beside a recording, or about it: what is wanted of it."""
    language: str | None = Field(default=None, max_length=8)
    """Language of the user's client (ISO 639-1), for notices."""
    audio: AudioSource | None = None
    text: str | None = Field(default=None, max_length=8000)
    """A typed message instead of a spoken one."""
    destination: str | None = Field(default=None, max_length=2000)
    """Platform ``file`` only: where the reply's Ogg file is written, besides the outbox."""
    trace: dict[str, str] = Field(default_factory=dict)
    """W3C trace context of the platform's message (``traceparent``)."""
    accompanied: bool = False
    """The platform shows what june does meanwhile (chat action, live text), by its activity ``accompany``."""
    signal_sentences: bool = False
    """Sentences are signalled while the model writes although none is spoken, for a page that shows them."""
    limits: Limits | None = None
    """What the chat may ask for from now on; None leaves it as it is."""
    settings: ChatSettings = ChatSettings()
    memory: Memory | None = Memory()
    """None: a Conversation holds this turn back after transcription, and sends its memory when it is due."""

    @model_validator(mode="after")
    def _audio_or_text(self) -> "VoiceMessageRequest":
        if (self.audio is None) == (self.text is None):
            raise ValueError("a message has either audio or text")
        return self

    @property
    def captioned(self) -> bool:
        """Whether the chat wants a voice note and its text in one message."""
        return self.settings.layout is Layout.CAPTION

    @property
    def address(self) -> Address:
        """Where the reply to this message goes."""
        return Address(
            platform=self.platform,
            chat=self.chat,
            thread=self.thread,
            message=self.message,
            destination=self.destination,
            language=self.language,
        )


def findable(request: VoiceMessageRequest) -> tuple[SearchAttributePair[str], ...]:
    """Give the search attributes that a turn starts with."""
    chat = chat_key(request.platform, request.chat)
    return (
        SearchAttributePair(PLATFORM, request.platform),
        SearchAttributePair(CHAT, chat),
        SearchAttributePair(STAGE, Stage.FETCH.value),
    )


class VoiceMessageResult(Value):
    """How a turn ended."""

    status: Literal["answered", "refused", "failed"]
    """``refused``: the input was bad; ``failed``: june or something it needs was."""
    transcript: str = ""
    language: str | None = None
    answer: str = ""
    reply: BlobRef | None = None
    """The spoken reply (Ogg/Opus, 48 kHz, mono); None when the reply was text only."""
    error: ErrorCode | None = None
    error_stage: Stage | None = None
    stage_ms: dict[Stage, int] = Field(default_factory=dict)
    """Milliseconds by stage, queueing and retries included; synthesis overlaps inference."""
    total_ms: int = 0
    heard_seconds: float = 0
    """Duration of the message's sound, in seconds."""


class TurnProgress(Value):
    """How far a turn is: what the query ``progress`` answers."""

    stage: Stage
    replying: bool
    """The whole answer is being sent, or was, or there will be none."""
    result: VoiceMessageResult
    """What is known so far."""
    sentences: tuple[str, ...] = ()
    """What the model has written so far, for speaking."""
    speech: tuple[BlobRef, ...] = ()
    """Speech of the first of these sentences, as far as it is ready (s16le PCM, mono)."""


class ConversationState(Value):
    """All that a Conversation knows; carried over when it continues as new."""

    platform: Identifier
    chat: Identifier
    thread: Identifier | None = None
    settings: ChatSettings = ChatSettings()
    limits: Limits = Limits()
    memory: Memory = Memory()
    seen: tuple[str, ...] = ()
    """Ids of the last messages, so that one delivered twice is answered once."""
    waiting: tuple[VoiceMessageRequest, ...] = ()
    """Accepted, not yet started."""
    arrivals: tuple[float, ...] = ()
    """When the messages of the last minute came, in seconds since the epoch."""
    turns: int = 0
    """Turns ended since the conversation began."""
    turns_per_run: int = Field(default=100, ge=1)
    """Then it continues as new: about 2,000 events, far under every limit, quick to replay."""
    erase: bool = False
    """/forget was asked for: the next run deletes what the runs before it left behind."""


class SettingsChange(Value):
    """What to change: None leaves a field as it is, an empty text goes back to the default."""

    reply_mode: ReplyMode | None = None
    layout: Layout | None = None
    voice: str | None = Field(default=None, max_length=60)
    language: str | None = Field(default=None, max_length=8)
    model: str | None = Field(default=None, max_length=120)
    system_prompt: str | None = Field(default=None, max_length=4000)

    def applied_to(self, settings: ChatSettings) -> ChatSettings:
        """Change what was given."""
        return settings.model_copy(update={name: value or None for name, value in self if value is not None})


class QueuedMessage(Value):
    """A message that is being answered or waits."""

    message: Identifier
    sender: str
    started: bool
