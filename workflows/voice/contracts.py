"""Conversations and their turns: requests, results, what queries answer. Imports nothing heavy."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator
from temporalio import workflow
from temporalio.common import SearchAttributePair

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.values import Address, AudioSource, BlobRef, Identifier, Value
    from workflows.names import CHAT, PLATFORM, STAGE, Stage, chat_key


MAX_JOINED_CHARS = 12_000
"""Of a typed message, or of several that are one."""
MAX_QUOTED_CHARS = 2000
"""Of what a message replies to, and of what is written beside a recording."""
MAX_CARRIED_BYTES = 1_000_000
"""Of a ConversationState as JSON, which each run hands to the next; half of what Temporal takes, whatever wraps it."""
MAX_MESSAGE_BYTES = 110_000
"""Of one message as JSON; one as long as may be, of nothing but control characters, has 100,000."""
MAX_WAITING_BYTES = 340_000
"""Of the messages that wait; one more is refused."""
MAX_ANSWER_CHARS = 40_000
"""What is kept of the last answer, and the most that the setting of an answer's length takes."""


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
    time_zone: str | None = Field(default=None, max_length=64)
    """IANA name of the time zone in which the model is told the time; None is the worker's."""
    model: str | None = Field(default=None, max_length=120)
    """Model name sent to the model server; None is the server's default."""
    system_prompt: str | None = Field(default=None, max_length=4000)
    temperature: float = Field(default=0.3, ge=0, le=2)


class Limits(Value):
    """What one chat may ask for."""

    waiting: int = Field(default=10, ge=1)
    """Messages that may wait behind the one being answered; of long ones fewer do: see ``MAX_WAITING_BYTES``."""
    messages_per_minute: int = Field(default=20, ge=1)


class Exchange(Value):
    """One remembered turn."""

    user: str
    assistant: str
    said_at: datetime | None = None
    """When the model was asked, as it was told."""


class Memory(Value):
    """What the model is told of the conversation so far: a summary, and the last turns word for word."""

    summary: str = ""
    window: tuple[Exchange, ...] = ()


class Stop(Value):
    """End the answers under way: what was said so far is kept, and marked."""

    message: Identifier | None = None
    """The message whose answer was being heard; it may be written to its end already."""
    heard_chars: int | None = Field(default=None, ge=0)
    """Characters of that answer that were heard; None where nobody knows."""


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
    quoted: str | None = Field(default=None, max_length=MAX_QUOTED_CHARS)
    """Text of the message that this one replies to, told to the model."""
    remark: str | None = Field(default=None, max_length=MAX_QUOTED_CHARS)
    """What was written beside a recording, or about it: what is wanted of it."""
    language: str | None = Field(default=None, max_length=8)
    """Language of the user's client (ISO 639-1), for notices."""
    audio: AudioSource | None = None
    text: str | None = Field(default=None, max_length=MAX_JOINED_CHARS)
    """A typed message instead of a spoken one."""
    destination: str | None = Field(default=None, max_length=2000)
    """Platform ``file`` only: where the reply's Ogg file is written, besides the outbox."""
    stopped: bool = False
    """It was stopped while it waited: it is recorded, and not answered."""
    may_continue: bool = False
    """It is as long as the platform lets one be: for a moment it waits for what continues it."""
    continues: bool = False
    """It belongs to what the same person wrote right before: both are answered as one, unless that was answered."""
    interrupts: Stop | None = None
    """This message was said over an answer: what is under way or waits is stopped before this one begins."""
    trace: dict[str, str] = Field(default_factory=dict)
    """W3C trace context of the platform's message (``traceparent``)."""
    accompanied: bool = False
    """The platform shows what june does meanwhile (chat action, live text), by its activity ``accompany``."""
    signal_sentences: bool = False
    """Sentences are signalled while the model writes although none is spoken, for a page that shows them."""
    limits: Limits | None = None
    """What the chat may ask for from now on; None leaves it as it is."""
    settings: ChatSettings = ChatSettings()
    languages: tuple[str, ...] = ()
    """Languages of the chat's last turns (ISO 639-1), the latest first: its next is likely to be in one of them."""
    memory: Memory | None = Memory()
    """None: a Conversation holds this turn back after transcription, and sends its memory when it is due."""

    @model_validator(mode="after")
    def _audio_or_text(self) -> "VoiceMessageRequest":
        if (self.audio is None) == (self.text is None):
            raise ValueError("a message has either audio or text")
        return self

    @property
    def likely_languages(self) -> tuple[str, ...]:
        """Languages that this message may be in (ISO 639-1), the likeliest first: the chat's, and the client's."""
        likely = (self.settings.language, *self.languages, self.language)
        return tuple(dict.fromkeys(code for code in likely if code))

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


class Again(Value):
    """Send the last answer once more."""

    message: Identifier
    """The message that asks for it, which it is sent in reply to."""
    language: str | None = None
    """Language of the user's client (ISO 639-1), for notices."""
    sends: bool = True
    """False: whoever asks shows the text that is returned."""


class LastReply(Value):
    """The answer of a turn."""

    text: str
    message: Identifier | None = None
    """What it answers."""
    turn: int = 0
    """Of one in doubt: turns that had ended when that was known, or when it was told."""
    voice: BlobRef | None = None
    """The voice note as it was sent (Ogg/Opus); it may have been deleted by its age."""
    captioned: bool = False


class VoiceMessageResult(Value):
    """How a turn ended."""

    status: Literal["answered", "refused", "failed", "stopped"]
    """``refused``: the input was bad; ``failed``: june or something it needs was; ``stopped``: by a person, and the
    answer is what was written until then."""
    transcript: str = ""
    language: str | None = None
    answer: str = ""
    asked_at: datetime | None = None
    """When the model was asked, as it was told."""
    answer_language: str | None = None
    """ISO 639-1 code of the answer's first sentence with letters; None where nobody could tell."""
    cut: bool = False
    """The answer ends before its end: at the limit of its length, or where it began to repeat itself."""
    heard_chars: int | None = None
    """Of an answer that was stopped: characters of it that were heard; None where nobody knows."""
    reply: BlobRef | None = None
    """The spoken reply (Ogg/Opus, 48 kHz, mono); None when the reply was text only."""
    uncertain: bool = False
    """The platform did not say whether all that was sent has arrived."""
    error: ErrorCode | None = None
    error_stage: Stage | None = None
    stage_ms: dict[Stage, int] = Field(default_factory=dict)
    """Milliseconds by stage, queueing and retries included; synthesis overlaps inference."""
    total_ms: int = 0
    heard_seconds: float = 0
    """Duration of the message's sound, in seconds."""
    question: BlobRef | None = None
    """That sound as it was transcribed (s16le PCM, mono, 16 kHz)."""


class TurnProgress(Value):
    """How far a turn is: what the query ``progress`` answers."""

    stage: Stage
    replying: bool
    """The whole answer is being sent, or was, or there will be none."""
    result: VoiceMessageResult
    """What is known so far."""
    thinking: bool = False
    """The model has been thinking for a while, and has not said anything yet."""
    written: str = ""
    """What the model has written so far, for reading: Markdown."""
    sentences: tuple[str, ...] = ()
    """The same for speaking."""
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
    forgotten: dict[str, float] = Field(default_factory=dict)
    """Of messages before a /forget: a hash of each id, and when it was forgotten, in seconds since the epoch."""
    waiting: tuple[VoiceMessageRequest, ...] = ()
    """Accepted, not yet started."""
    arrivals: tuple[float, ...] = ()
    """When the messages of the last minute came, in seconds since the epoch."""
    stops: tuple[Stop, ...] = ()
    """Answers that were written to their end, and stopped while they were heard; the latest last."""
    languages: tuple[str, ...] = ()
    """Languages of the last turns (ISO 639-1), the latest first."""
    last_reply: LastReply | None = None
    """What ``/again`` sends; None where the last turn had no answer."""
    in_doubt: tuple[LastReply, ...] = ()
    """Answers of the last turns that may not have arrived: while there are any, ``/again`` sends these."""
    turns: int = 0
    """Turns ended since the conversation began."""
    turns_per_run: int = Field(default=100, ge=1)
    """Then it continues as new: about 2,000 events, far under every limit, quick to replay."""
    former_chat: Identifier | None = None
    """Id of the chat that has become this one, whose settings and memory it goes on with."""
    became: Identifier | None = None
    """Id of the chat that this one has become: it remembers what is still answered here."""
    erase: bool = False
    """/forget was asked for: the next run deletes what the runs before it left behind."""
    erase_chat: bool = False
    """/forget all was: it deletes what all conversations of the chat left behind."""


class Former(Value):
    """What a chat was under another id: a group that has become a supergroup."""

    chat: Identifier
    settings: ChatSettings = ChatSettings()
    memory: Memory = Memory()


class SettingsChange(Value):
    """What to change: None leaves a field as it is, an empty text goes back to the default."""

    reply_mode: ReplyMode | None = None
    layout: Layout | None = None
    voice: str | None = Field(default=None, max_length=60)
    language: str | None = Field(default=None, max_length=8)
    time_zone: str | None = Field(default=None, max_length=64)
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
