"""What every platform's worker is made of."""

from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from activities.blobs import BlobStore
from activities.fetch import FetchActivity
from activities.platforms.platform import Platform
from activities.reply import ReplyActivity
from bots.access import Policy
from bots.commands import Commands
from bots.inbox import InboundLimits, Inbox
from bots.texts.catalogue import say
from workers.settings import (
    AudioSettings,
    DiscordSettings,
    LimitSettings,
    PiperSettings,
    StorageSettings,
    TelegramSettings,
)
from workflows.access.contracts import UserLimits
from workflows.voice.contracts import Limits


def platform_activities(platform: Platform) -> list[Callable[..., Any]]:
    """Make ``fetch`` and ``reply`` of a platform, by the settings."""
    audio, blobs = AudioSettings(), BlobStore.open(StorageSettings().blobs)
    fetch = FetchActivity(platform, blobs, audio.max_bytes, audio.max_seconds)
    reply = ReplyActivity(platform, blobs, say, audio.reply_max_seconds, audio.reply_max_bytes)
    return [fetch.fetch, reply.reply]


def open_inbox(client: Client, policy: Policy, *, accompanied: bool = False, signal_sentences: bool = False) -> Inbox:
    """Open a platform's inbox, by the settings."""
    audio, limits = AudioSettings(), LimitSettings()
    inbound_limits = InboundLimits(
        max_bytes=audio.max_bytes,
        max_seconds=audio.max_seconds,
        chat=Limits(waiting=limits.chat_waiting, messages_per_minute=limits.chat_messages_per_minute),
        user=UserLimits(
            messages_per_minute=limits.user_messages_per_minute,
            voice_seconds_per_day=limits.user_voice_seconds_per_day,
        ),
    )
    commands = Commands(client, PiperSettings().voices, StorageSettings().retention_hours)
    return Inbox(client, policy, inbound_limits, commands, accompanied=accompanied, signal_sentences=signal_sentences)


def policy_of(settings: TelegramSettings | DiscordSettings) -> Policy:
    """Read who may talk from a platform's settings."""
    return Policy(
        owners=frozenset(settings.owners),
        users=frozenset(settings.users),
        groups=frozenset(settings.groups),
        open_groups=frozenset(settings.open_groups),
    )
