"""What Discord's messages, commands and menus mean to june's inbox."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import PurePath

import discord

from activities.values import AudioSource
from bots.intake import InboundMessage

PLATFORM = "discord"
CONTENT_LIMIT = 2000
"""Characters of one message."""
SOUNDS = frozenset({".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".wav", ".flac", ".mka"})
"""Endings of recordings, where Discord does not name the media type."""
LOCALES = 10_000
"""People whose language is remembered."""
SPOKEN_TYPES = frozenset({discord.MessageType.default, discord.MessageType.reply})


class Locales:
    """Languages of people: only commands name them, so that of each person's last command is remembered."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, str] = OrderedDict()

    def remember(self, interaction: discord.Interaction) -> None:
        """Remember the language of whoever gave a command; at most LOCALES people's, the most recent."""
        self._seen[interaction.user.id] = interaction.locale.value
        self._seen.move_to_end(interaction.user.id)
        while len(self._seen) > LOCALES:
            self._seen.popitem(last=False)

    def of(self, message: discord.Message) -> str | None:
        """Return the language of a message's author, or else of the server around it; None in private."""
        around = message.guild.preferred_locale.value if message.guild else None
        return self._seen.get(message.author.id, around)


def inbound_of(message: discord.Message, me: int, language: str | None = None) -> InboundMessage | None:
    """Read a message; None where there is nothing for june in it.

    That is: june's own messages (``me`` is its user id), those of bots and of Discord itself, those without content
    (all that do not address june, without the message-content intent), and commands of others.
    """
    if message.author.bot or message.webhook_id or message.type not in SPOKEN_TYPES:
        return None
    replied = replied_to(message)
    mentioned = any(user.id == me for user in message.mentions)
    addressed = message.guild is None or mentioned or (replied is not None and replied.author.id == me)
    audio, text = recording_of(message), text_of(message, me)
    if not addressed and (text.startswith("/") or not (audio or text)):
        return None
    quoted = replied.content if replied else ""
    if audio is None and mentioned and replied is not None and replied.author.id != me:
        # "june, this one": somebody answered a recording by naming june.
        audio = recording_of(replied)
    return InboundMessage(
        platform=PLATFORM,
        chat=str(message.channel.id),
        message=str(message.id),
        user=str(message.author.id),
        sender=message.author.display_name,
        group=str(message.guild.id) if message.guild else None,
        places=places_of(message.channel) if message.guild else (),
        language=language,
        addressed=addressed,
        audio=audio.source if audio else None,
        audio_seconds=audio.seconds if audio else None,
        text=text or None,
        quoted=quoted or None,
        about=str(replied.author.id) if replied else None,
    )


def command_of(interaction: discord.Interaction, name: str, argument: str) -> InboundMessage:
    """Read a slash command."""
    return _interacted(interaction, str(interaction.id), text=f"/{name} {argument}".strip())


def target_of(
    interaction: discord.Interaction, message: discord.Message, me: int, link_key: str | None = None
) -> InboundMessage:
    """Read a message that somebody chose from its menu: the answer is a reply to it.

    ``link_key``: where the signed link of its recording was kept.
    """
    audio = recording_of(message)
    if audio:
        audio.source = audio.source.model_copy(update={"link_key": link_key})
    return _interacted(interaction, str(message.id), audio=audio, text=text_of(message, me) or None)


class Recording:
    """A recording in a message."""

    def __init__(self, message: discord.Message, attachment: discord.Attachment) -> None:
        locator = f"{message.channel.id}/{message.id}/{attachment.id}"
        self.source = AudioSource(locator=locator, claimed_bytes=attachment.size)
        self.seconds = attachment.duration
        self.link = attachment.url
        """Signed: never in a request, never logged."""


def recording_of(message: discord.Message) -> Recording | None:
    """Find the first recording, in the message or in one that it forwards."""
    attachments: list[discord.Attachment] = [*message.attachments]
    for snapshot in message.message_snapshots:
        attachments += snapshot.attachments
    for attachment in attachments:
        by_name = attachment.is_voice_message() or PurePath(attachment.filename).suffix.lower() in SOUNDS
        if attachment.content_type.startswith("audio/") if attachment.content_type else by_name:
            return Recording(message, attachment)
    return None


def text_of(message: discord.Message, me: int) -> str:
    """Read the text: without june's name, and with names for ids."""
    text = re.sub(rf"<@!?{me}>", "", message.content)
    for user in message.mentions:
        for named in (f"<@{user.id}>", f"<@!{user.id}>"):
            text = text.replace(named, f"@{user.display_name}")
    return text.strip()


def replied_to(message: discord.Message) -> discord.Message | None:
    """Find the message that this one replies to, where Discord gives it."""
    reference = message.reference
    if reference is None or message.type is not discord.MessageType.reply:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None


def places_of(channel: object) -> tuple[str, ...]:
    """Name a channel of a server, and of a thread the channel around it too."""
    ids = (getattr(channel, "id", None), getattr(channel, "parent_id", None))
    return tuple(str(number) for number in ids if number)


def _interacted(
    interaction: discord.Interaction, message: str, *, audio: Recording | None = None, text: str | None
) -> InboundMessage:
    return InboundMessage(
        platform=PLATFORM,
        chat=str(interaction.channel_id),
        message=message,
        user=str(interaction.user.id),
        sender=interaction.user.display_name,
        language=interaction.locale.value,
        group=str(interaction.guild_id) if interaction.guild_id else None,
        places=places_of(interaction.channel) if interaction.guild_id else (),
        audio=audio.source if audio else None,
        audio_seconds=audio.seconds if audio else None,
        text=text,
    )


def pages(text: str, limit: int = CONTENT_LIMIT) -> Sequence[str]:
    """Cut one of june's own lists into messages, between its lines."""
    found = [""]
    for line in text.splitlines():
        for start in range(0, max(len(line), 1), limit):
            piece = line[start : start + limit]
            joined = f"{found[-1]}\n{piece}" if found[-1] else piece
            if len(joined) <= limit:
                found[-1] = joined
            else:
                found.append(piece)
    return [page for page in found if page.strip()]
