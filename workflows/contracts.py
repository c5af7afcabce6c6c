"""The contracts: requests, results, ids, queue names, stages. Imports nothing heavy."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator
from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    # Named again, so that bots need nothing but the contracts.
    from activities.errors import ErrorCode as ErrorCode
    from activities.references import Address as Address
    from activities.references import AudioSource as AudioSource
    from activities.references import BlobRef as BlobRef
    from activities.references import Identifier as Identifier
    from activities.references import Notice as Notice
    from activities.references import Value as Value

CONVERSATION = "Conversation"
VOICE_MESSAGE = "VoiceMessage"
"""Workflow types, for those who start them without importing what they are made of."""

LIVE = 1
"""Priority of a turn that somebody waits for (1 is first)."""
BACKGROUND = 3
"""Priority of what can wait, such as a summary."""

WORKFLOW_QUEUE = "june"
GPU_QUEUE = "june-gpu"
CPU_QUEUE = "june-cpu"


def edge_queue(platform: str) -> str:
    """Name the queue of the only workers that hold this platform's token."""
    return f"june-{platform}"


def chat_key(platform: str, chat: str) -> str:
    """Name a chat across platforms: value of the search attribute ``Chat``, and what GPU time is shared fairly by."""
    return f"{platform}/{chat}"


def conversation_id(platform: str, chat: str, thread: str | None = None) -> str:
    """Name the conversation of a chat, or of one thread in it."""
    return f"chat/{platform}/{chat}" + (f"/{thread}" if thread else "")


def voice_message_id(platform: str, chat: str, message: str) -> str:
    """Name the workflow that answers a message; one per message, ever."""
    return f"voice/{platform}/{chat}/{message}"


class Stage(StrEnum):
    """Where a turn is. The five verbs are also the activities' names."""

    FETCH = "fetch"
    TRANSCRIBE = "transcribe"
    WAIT = "wait"
    """Transcribed, waiting for the turns before it."""
    INFER = "infer"
    SYNTHESIZE = "synthesize"
    REPLY = "reply"
    DONE = "done"


PLATFORM = SearchAttributeKey.for_keyword("Platform")
CHAT = SearchAttributeKey.for_keyword("Chat")
"""``<platform>/<chat>``"""
STAGE = SearchAttributeKey.for_keyword("Stage")
LANGUAGE = SearchAttributeKey.for_keyword("Language")
ERROR = SearchAttributeKey.for_keyword("ErrorCode")
SEARCH_ATTRIBUTES = (PLATFORM, CHAT, STAGE, LANGUAGE, ERROR)


class ReplyMode(StrEnum):
    """When june speaks."""

    OFF = "off"
    """Text only."""
    ON = "on"
    """A voice note answers a voice note."""
    ALWAYS = "always"
    """Text is answered by voice as well."""


class ChatSettings(Value):
    """What a chat has chosen; kept by its Conversation."""

    reply_mode: ReplyMode = ReplyMode.ON
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
    sender: str = Field(default="", max_length=120)
    """Display name, for people who look into the Web UI."""
    language: str | None = Field(default=None, max_length=8)
    """Language of the user's client (ISO 639-1), for notices."""
    audio: AudioSource | None = None
    text: str | None = Field(default=None, max_length=8000)
    """A typed message instead of a spoken one."""
    destination: str | None = Field(default=None, max_length=2000)
    """Platform ``file`` only: where the reply's Ogg file is written, besides the outbox."""
    trace: dict[str, str] = Field(default_factory=dict)
    """W3C trace context of the platform's message (``traceparent``)."""
    settings: ChatSettings = ChatSettings()
    memory: Memory | None = Memory()
    """None: a Conversation holds this turn back after transcription, and sends its memory when it is due."""

    @model_validator(mode="after")
    def _audio_or_text(self) -> "VoiceMessageRequest":
        if (self.audio is None) == (self.text is None):
            raise ValueError("a message has either audio or text")
        return self

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
