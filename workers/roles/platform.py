"""What the worker of every platform is built from, by the settings; for june inside another application as well."""

from collections.abc import Callable
from typing import Any, Protocol

from temporalio.client import Client

from activities.accompany import ShowProgressActivity
from activities.audio.codec import join_ogg_opus
from activities.blobs import BlobStore
from activities.fetch import FetchActivity
from activities.platforms.platform import Platform, Retracts, ShowsProgress
from activities.reply import ReplyActivity
from activities.retract import RetractActivity
from bots.access import Policy
from bots.coding import CodingRules
from bots.commands import Commands
from bots.inbox import InboundLimits, Inbox
from bots.texts.catalogue import say
from workers.clients.pollers import living_pollers
from workers.settings import (
    AudioSettings,
    CodeSettings,
    DiscordSettings,
    LimitSettings,
    PiperSettings,
    StorageSettings,
    TelegramSettings,
)
from workflows.access.contracts import UserLimits
from workflows.names import SANDBOX_QUEUE
from workflows.voice.contracts import Limits


class LivePlatform(Platform, ShowsProgress, Retracts, Protocol):
    """A platform that shows an answer while it is written, and can take back what holds no longer."""


def platform_activities(platform: Platform) -> list[Callable[..., Any]]:
    """Build ``fetch``, ``reply`` and ``send_file`` of a platform, by the settings."""
    audio, blobs = AudioSettings(), BlobStore.open(StorageSettings().blobs)
    fetch = FetchActivity(platform, blobs, audio.max_bytes, audio.max_seconds)
    reply = ReplyActivity(platform, blobs, say, join_ogg_opus, audio.reply_max_seconds, audio.reply_max_bytes)
    return [fetch.fetch, reply.reply, reply.send_file]


def bot_activities(platform: LivePlatform) -> list[Callable[..., Any]]:
    """Build the activities of a bot: those of its platform, and those that show its progress."""
    shows, retracts = ShowProgressActivity(platform, say), RetractActivity(platform)
    return [*platform_activities(platform), shows.show_progress, retracts.retract]


def open_inbox(client: Client, policy: Policy, *, accompanied: bool = False, signal_sentences: bool = False) -> Inbox:
    """Open a platform's inbox, by the settings: what comes in, who may talk, and how much."""
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

    async def has_sandbox() -> bool:
        return bool(await living_pollers(client, SANDBOX_QUEUE))

    commands = Commands(
        client,
        PiperSettings().voices,
        StorageSettings().retention_hours,
        shows_outcomes_alone=signal_sentences,
        coding=CodingRules(for_all=CodeSettings().for_all, is_served=has_sandbox),
    )
    return Inbox(client, policy, inbound_limits, commands, accompanied=accompanied, signal_sentences=signal_sentences)


def open_bot_inbox(client: Client, settings: TelegramSettings | DiscordSettings) -> Inbox:
    """Open the inbox of a bot whose platform shows an answer while it is written, by the settings."""
    return open_inbox(client, policy_of(settings), accompanied=True)


def policy_of(settings: TelegramSettings | DiscordSettings) -> Policy:
    """Return who may talk, by a platform's settings."""
    return Policy(
        owners=frozenset(settings.owners),
        users=frozenset(settings.users),
        groups=frozenset(settings.groups),
        open_groups=frozenset(settings.open_groups),
    )
