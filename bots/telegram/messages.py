"""From Telegram's update to june's message, and on to the inbox."""

from datetime import timedelta

from telegram import Audio, Chat, Document, Message, MessageEntity, Update, User, VideoNote, Voice
from telegram.constants import ChatID

from activities.values import AudioSource
from bots.commands import known
from bots.intake import InboundMessage

PLATFORM = "telegram"
ALLOWED_UPDATES = (Update.MESSAGE,)
"""New messages; what people edit afterwards was answered already."""
AUDIO_ENDINGS = (".opus", ".ogg", ".oga", ".mp3", ".m4a", ".wav", ".flac")
ASK = "ask"
"""``/ask`` answers the message that it replies to, or what follows it."""


def convert(update: Update, me: User) -> InboundMessage | None:
    """Read a new message; None for what june does not listen to: edits, channels, other bots, service messages."""
    message = update.message
    sender = _sender(message) if message else None
    if message is None or sender is None or message.chat.type == Chat.CHANNEL or message.is_automatic_forward:
        return None
    replied = _replied_to(message)
    text, addressed = _text(message, me, replied)
    if text is None:
        return None
    audio, quoted = _audio(message), _quoted(message, replied)
    if audio is None and replied is not None and _asks(message, me, replied):
        audio = _audio(replied)
        if audio is None:
            text, quoted = replied.text or "", None
    if audio is None and not text and message.effective_attachment is None:
        return None
    return InboundMessage(
        platform=PLATFORM,
        chat=str(message.chat.id),
        message=str(message.message_id),
        user=str(sender.id),
        sender=sender.full_name if isinstance(sender, User) else sender.title or "",
        thread=str(message.message_thread_id) if message.is_topic_message and message.message_thread_id else None,
        language=sender.language_code if isinstance(sender, User) else None,
        group=None if message.chat.type == Chat.PRIVATE else str(message.chat.id),
        addressed=addressed,
        audio=_source(audio) if audio else None,
        audio_seconds=_seconds(audio),
        text=text,
        quoted=quoted or None,
        about=_about(replied, me),
    )


Sound = Voice | Audio | VideoNote | Document


def _sender(message: Message) -> User | Chat | None:
    """Tell who speaks: a person, or a group's administrator who speaks as the group."""
    user = message.from_user
    if user is not None and user.id == ChatID.ANONYMOUS_ADMIN:
        return message.sender_chat
    return None if user is None or user.is_bot else user


def _replied_to(message: Message) -> Message | None:
    """Tell which message this one replies to; in a topic, that may only seem to be the one that opened it."""
    replied = message.reply_to_message
    return None if replied is None or replied.forum_topic_created else replied


def _text(message: Message, me: User, replied: Message | None) -> tuple[str | None, bool]:
    """Read the text without june's name in it, and tell whether june is meant; no text: another bot is.

    A caption is text where june listens to what it belongs to; pictures she does not see.
    """
    text = ((message.caption if _audio(message) else message.text) or "").strip()
    private = message.chat.type == Chat.PRIVATE
    command = _command(message)
    if command:
        name, _, bot = command.partition("@")
        rest = text[len(command) + 1 :].strip()
        if bot and bot.casefold() != (me.username or "").casefold():
            return None, False
        if not (private or bot) and name != ASK and not known(name):
            return None, False
        if name == ASK:
            return rest or ("" if replied else "/help"), True
        return f"/{name} {rest}".strip(), True
    mentioned = _mentions(message, me)
    for mention in mentioned:
        text = text.replace(mention, "", 1).strip()
    to_me = replied is not None and replied.from_user is not None and replied.from_user.id == me.id
    return text, private or bool(mentioned) or to_me


def _command(message: Message) -> str | None:
    """Read a command at the very beginning, as Telegram marks it: ``ask@june_bot``, in lower case."""
    for entity, text in message.parse_entities([MessageEntity.BOT_COMMAND]).items():
        if entity.offset == 0:
            return text[1:].lower()
    return None


def _mentions(message: Message, me: User) -> list[str]:
    """List june's mentions, in text or caption, as they are written."""
    kinds: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
    marked = {**message.parse_entities(kinds), **message.parse_caption_entities(kinds)}
    name = f"@{me.username}".casefold()
    return [
        text for entity, text in marked.items() if (entity.user.id == me.id if entity.user else text.casefold() == name)
    ]


def _asks(message: Message, me: User, replied: Message) -> bool:
    """Tell whether the message wants what it replies to answered: a voice, or a text to which it adds nothing."""
    if replied.from_user is not None and replied.from_user.id == me.id:
        return False
    command = _command(message)
    named = command.partition("@")[0] == ASK if command else bool(_mentions(message, me))
    return named and (_audio(replied) is not None or _adds_nothing(message, me))


def _adds_nothing(message: Message, me: User) -> bool:
    text, _ = _text(message, me, message.reply_to_message)
    return not text


def _audio(message: Message) -> Sound | None:
    """Find what sounds: voice, audio, video note, or a document that is audio by kind or name."""
    document = message.document
    if document is not None:
        kind, name = (document.mime_type or "").lower(), (document.file_name or "").lower()
        if kind.startswith("audio/") or name.endswith(AUDIO_ENDINGS):
            return document
    return message.voice or message.audio or message.video_note


def _source(sound: Sound) -> AudioSource:
    return AudioSource(locator=sound.file_id, claimed_bytes=sound.file_size)


def _seconds(sound: Sound | None) -> float | None:
    """Read the duration, which the library tells as a number or as a span; documents have none."""
    if sound is None or isinstance(sound, Document):
        return None
    claimed = sound.duration
    return claimed.total_seconds() if isinstance(claimed, timedelta) else float(claimed)


def _quoted(message: Message, replied: Message | None) -> str | None:
    if message.quote:
        return message.quote.text
    return (replied.text or replied.caption) if replied else None


def _about(replied: Message | None, me: User) -> str | None:
    """Tell whom an owner's command means: the sender of the message replied to."""
    sender = replied.from_user if replied else None
    return str(sender.id) if sender and sender.id != me.id else None
