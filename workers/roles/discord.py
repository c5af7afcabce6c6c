"""The Discord bot's process: the gateway, and the activities that reply by the same client's HTTP."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.discord.signed_links import SignedLinks, read_link
from bots.discord.client import DiscordBot
from bots.discord.missed import MissedMessages
from workers.errors import JuneError, UnavailableError
from workers.roles.platform import bot_activities, open_bot_inbox, policy_of
from workers.roles.spec import WorkerSpec
from workers.settings import DiscordSettings, StorageSettings, WorkerSettings

_log = logging.getLogger(__name__)


def point(settings: DiscordSettings) -> None:
    """Point discord.py at the servers that the settings name; the library keeps both as state of its classes."""
    Route.BASE = settings.api_base.rstrip("/")
    if settings.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)


class JuneClient(DiscordBot):
    """The bot, with the activities that reply by the same client."""

    def __init__(self, settings: DiscordSettings) -> None:
        self.settings = settings
        self.links = SignedLinks(BlobStore.open(StorageSettings().blobs))
        self.read: Callable[[str, int], Awaitable[bytes]] = read_link
        super().__init__(message_content=settings.message_content, keep=self.links.keep)

    def serve(self, client: Client) -> list[Callable[..., Any]]:
        """Open the inbox, and return the activities; the client must be logged in before they run."""
        policy = policy_of(self.settings)
        people = sorted(policy.owners | policy.users)
        missed = MissedMessages(client, people, sorted(policy.open_groups))
        self.open(open_bot_inbox(client, self.settings), missed)
        return bot_activities(DiscordPlatform(self.http, self.links, self.read))


async def build(client: Client) -> WorkerSpec:
    """Log in, and build what the bot serves.

    Raises:
        JuneError: there is no token, or Discord does not take it.
        UnavailableError: Discord does not answer.

    """
    settings = DiscordSettings()
    token = settings.token.get_secret_value()
    if not token:
        raise JuneError("There is no Discord bot without a token: set JUNE_DISCORD_TOKEN.")
    point(settings)
    bot = JuneClient(settings)
    try:
        await bot.login(token)
    except discord.LoginFailure as error:
        raise JuneError("Discord does not take the token: set JUNE_DISCORD_TOKEN to that of your bot.") from error
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise UnavailableError(f"Discord does not answer: {error}.") from error
    activities = bot.serve(client)
    await bot.sync_menu()
    return WorkerSpec(slots=WorkerSettings().edge_slots, activities=activities, background=lambda: stay_connected(bot))


async def stay_connected(bot: DiscordBot) -> None:
    """Stay connected to the gateway until cancelled.

    Raises:
        JuneError: the bot may not have what it asks for.
        UnavailableError: the connection was lost for good; whoever supervises this process starts it again.

    """
    try:
        await bot.connect(reconnect=True)
    except discord.PrivilegedIntentsRequired as error:
        raise JuneError(
            "Discord does not give this bot the message-content intent: switch it on in the developer portal, "
            "or unset JUNE_DISCORD_MESSAGE_CONTENT."
        ) from error
    except (discord.DiscordException, AttributeError) as error:
        # discord.py 2.7 fails with an AttributeError when its very first handshake does.
        raise UnavailableError(f"Discord's gateway was lost: {error!r}.") from error
    finally:
        # The gateway alone: replies that are under way still need the client's HTTP.
        if bot.ws:
            await bot.ws.close(code=1000)
