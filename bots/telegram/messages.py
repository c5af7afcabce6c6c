"""What a message of Telegram's means to june's inbox."""

from datetime import timedelta

from telegram import Audio, Chat, Document, Message, MessageEntity, Update, User, Video, VideoNote, Voice
from telegram.constants import ChatID

from activities.values import AudioSource
from bots.commands import known
from bots.intake import InboundMessage
from bots.media import may_sound

PLATFORM = "telegram"
ALLOWED_UPDATES = (Update.MESSAGE,)
"""New messages; what people edit afterwards was answered already."""
ASK = "ask"
"""``/ask`` answers the message that it replies to, or what follows it."""


def convert(update: Update, me: User) -> InboundMessage | None:
    """Read a new message; None for what june does not listen to: edits, channels, other bots, service messages."""
    message = update.message
    sender = _sender(message) if message else None
    if message is None or sender is None or message.chat.type == Chat.CHANNEL or message.is_automatic_forward:
        return None
    replied = message.reply_to_message
    if replied is not None and replied.forum_topic_created:
        replied = None  # a message of a topic seems to reply to the one that opened it
    text, addressed = _text(message, me, replied)
    if text is None:
        return None
    audio = _audio(message)
    quoted = message.quote.text if message.quote else ((replied.text or replied.caption) if replied else None)
    attachment = None if audio else attachment_of(message)
    if audio is None and replied is not None and _asks_about(replied, message, text, me):
        audio = _audio(replied)
        if audio is None:
            text, quoted, attachment = replied.text or replied.caption or "", None, attachment_of(replied)
    if audio is None and not text and attachment is None and message.text is None:
        return None  # of the group itself: who came, its new title
    seconds = None if audio is None or isinstance(audio, Document) else audio.duration
    author = replied.from_user if replied else None
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
        audio=AudioSource(locator=audio.file_id, claimed_bytes=audio.file_size) if audio else None,
        audio_seconds=seconds.total_seconds() if isinstance(seconds, timedelta) else seconds,
        text=text,
        attachment=attachment,
        quoted=quoted or None,
        about=str(author.id) if author and author.id != me.id else None,
        about_name=author.full_name if author and author.id != me.id else None,
        group_name=message.chat.title,
    )


ATTACHMENTS = {
    "photo": "photo",
    "animation": "animation",  # comes with a document
    "sticker": "sticker",
    "video": "video",
    "document": "file",
    "venue": "location",  # comes with a location
    "location": "location",
    "contact": "contact",
    "poll": "poll",
    "paid_media": "photo",
}
"""Fields of a message that june cannot take, and their kinds."""

Sound = Voice | Audio | VideoNote | Video | Document


def moves(update: Update) -> tuple[str, str] | None:
    """Return a group's former id and its id, where an update tells that it has become a supergroup."""
    message = update.message
    if message is None:
        return None
    if message.migrate_to_chat_id:
        return str(message.chat.id), str(message.migrate_to_chat_id)
    if message.migrate_from_chat_id:
        return str(message.migrate_from_chat_id), str(message.chat.id)
    return None


def _sender(message: Message) -> User | Chat | None:
    """Return who speaks: a person, or a group's administrator who speaks as the group."""
    user = message.from_user
    if user is not None and user.id == ChatID.ANONYMOUS_ADMIN:
        return message.sender_chat
    return None if user is None or user.is_bot else user


def _text(message: Message, me: User, replied: Message | None) -> tuple[str | None, bool]:
    """Return the text, or the caption, without june's name in it, and whether june is meant; None: another bot is."""
    text = (message.text or message.caption or "").strip()
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
    kinds: list[str | None] = [MessageEntity.BOT_COMMAND]
    marked = {**message.parse_entities(kinds), **message.parse_caption_entities(kinds)}
    for entity, text in marked.items():
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


def _asks_about(replied: Message, message: Message, text: str, me: User) -> bool:
    """Check whether a message wants what it replies to answered: a voice, or a text to which it adds nothing."""
    if replied.from_user is not None and replied.from_user.id == me.id:
        return False
    command = _command(message)
    named = command.partition("@")[0] == ASK if command else bool(_mentions(message, me))
    return named and (_audio(replied) is not None or not text)


def attachment_of(message: Message) -> str | None:
    """Name what a message holds besides text, in june's words: see ``bots.intake.ATTACHMENTS``."""
    other = "other" if message.effective_attachment else None  # a game, an invoice, and what comes with later versions
    return next((name for kind, name in ATTACHMENTS.items() if getattr(message, kind)), other)


def _audio(message: Message) -> Sound | None:
    """Find the recording: voice, audio, a video with its sound, or a document that may hold any of them."""
    document = message.document
    if document is not None and message.animation is None and may_sound(document.mime_type, document.file_name):
        return document
    return message.voice or message.audio or message.video_note or message.video
