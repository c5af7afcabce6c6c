"""What Discord's messages, commands and menus mean to june's inbox."""

import math
import re
from collections import OrderedDict
from collections.abc import Sequence

import discord

from activities.values import AudioSource
from bots.intake import InboundMessage
from bots.media import may_sound

PLATFORM = "discord"
CONTENT_LIMIT = 2000
"""Characters of one message."""
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
    guild = guild_of(message)
    replied = replied_to(message)
    mentioned = any(user.id == me for user in message.mentions)
    addressed = guild is None or mentioned or (replied is not None and replied.author.id == me)
    audio, text = recording_of(message), text_of(message, me)
    attachment = None if audio else attachment_of(message)
    if not addressed and (text.startswith("/") or not (audio or text or attachment)):
        return None
    quoted = replied.content if replied else ""
    if audio is None and mentioned and replied is not None and replied.author.id != me:
        # "june, this one": somebody answered a recording by naming june.
        audio = recording_of(replied)
        attachment = None if audio else attachment
    return InboundMessage(
        platform=PLATFORM,
        chat=str(message.channel.id),
        message=str(message.id),
        user=str(message.author.id),
        sender=message.author.display_name,
        group=str(guild) if guild else None,
        group_name=message.guild.name if message.guild else None,
        places=places_of(message.channel) if guild else (),
        language=language,
        addressed=addressed,
        audio=audio.source if audio else None,
        audio_seconds=audio.seconds if audio else None,
        text=text or None,
        attachment=attachment,
        quoted=quoted or None,
        about=str(replied.author.id) if replied else None,
        about_name=replied.author.display_name if replied else None,
        place_name=title_of(message.channel) if guild else None,
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
        self.seconds = seconds_of(attachment.duration)
        self.link = attachment.url
        """Signed: never in a request, never logged."""


def seconds_of(duration: object) -> float | None:
    """Return the duration that a client claims; None if it is no length of time."""
    known = isinstance(duration, int | float) and math.isfinite(duration) and duration >= 0
    return float(duration) if known else None  # type: ignore[arg-type] # checked above


def recording_of(message: discord.Message) -> Recording | None:
    """Find the first recording or video, in the message or in one that it forwards.

    The file of a voice message is one, whatever its type and name are said to be.
    """
    for holder in _holders(message):
        for attachment in holder.attachments:
            spoken = holder.flags.voice or attachment.duration is not None or attachment.waveform is not None
            if spoken or may_sound(attachment.content_type, attachment.filename):
                return Recording(message, attachment)
    return None


def attachment_of(message: discord.Message) -> str | None:
    """Name what a message, or one that it forwards, holds besides text and june cannot take; None if nothing."""
    holders = _holders(message)
    if message.poll is not None:
        return "poll"
    if any(holder.stickers for holder in holders):
        return "sticker"
    file = next((attachment for holder in holders for attachment in holder.attachments), None)
    if file is None:
        return None
    kind, _, detail = (file.content_type or "").lower().partition("/")
    if kind != "image":
        return "file"
    return "animation" if detail.startswith("gif") else "photo"


def _holders(message: discord.Message) -> tuple[discord.Message | discord.MessageSnapshot, ...]:
    return (message, *message.message_snapshots)


def guild_of(message: discord.Message) -> int | None:
    """Return the id of the server around a message, also of one that the library does not know; None in private."""
    if message.guild:
        return message.guild.id
    number = getattr(message.channel, "guild_id", None)
    return number if isinstance(number, int) else None


def text_of(message: discord.Message, me: int) -> str:
    """Read the text, or else the one that is forwarded: without june's name, and with names for ids."""
    forwarded = (snapshot.content for snapshot in message.message_snapshots)
    text = re.sub(rf"<@!?{me}>", "", message.content or next(filter(None, forwarded), ""))
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


def title_of(channel: object) -> str | None:
    """Return what a channel of a server is called, as it is written there: ``#general``."""
    name: str | None = getattr(channel, "name", None)
    return f"#{name}" if name else None


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
        group_name=(interaction.guild.name or None) if interaction.guild else None,
        place_name=title_of(interaction.channel) if interaction.guild_id else None,
        audio=audio.source if audio else None,
        audio_seconds=audio.seconds if audio else None,
        text=text,
        awaited=True,
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
