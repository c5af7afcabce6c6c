"""The Discord bot's process: the gateway, and the activities that reply by the same client's HTTP."""

import os
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
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

GATEWAY_FAILED = (
    *(discord.DiscordException, aiohttp.ClientError, OSError),
    *(AttributeError, KeyError, TypeError, ValueError, zlib.error),
)
"""What discord.py raises of a connection; the last ones of a gateway that says what Discord's does not."""


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

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected to the gateway.

        Raises:
            JuneError: the bot may not have what it asks for.
            UnavailableError: the first handshake failed, or the connection was lost for good.

        """
        try:
            await super().connect(reconnect=reconnect)
        except GATEWAY_FAILED as error:
            raise gateway_error(error, DiscordWebSocket.DEFAULT_GATEWAY.host) from error

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
    except discord.HTTPException as error:
        raise UnavailableError(f"Discord does not answer as it should: HTTP {error.status}.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise UnavailableError(f"Discord does not answer: {_cause(error)}.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnavailableError(
            f"What answers is not Discord ({type(error).__name__}): look at JUNE_DISCORD_API_BASE."
        ) from error
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
    finally:
        # The gateway alone: replies that are under way still need the client's HTTP.
        if bot.ws:
            await bot.ws.close(code=1000)


CLOSE_CODES = {
    4010: "it does not take the shard",
    4011: "the bot is in so many servers that it needs shards, which june has none of",
    4012: "it no longer speaks the version of its protocol that discord.py does",
    4013: "it does not know the intents that june asks for",
}
"""What the gateway says when it closes a connection for good."""
TOKEN_REFUSED_CODE = 4004


def gateway_error(error: BaseException, host: str | None) -> JuneError:
    """Return what a lost connection, or a handshake that failed, means, and its cause.

    Args:
        error: what discord.py raised; when its very first handshake fails, 2.7 raises an AttributeError around the
            cause.
        host: of the gateway.

    """
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return JuneError(
            "Discord does not give this bot the message-content intent: switch it on in the developer portal, "
            "or unset JUNE_DISCORD_MESSAGE_CONTENT."
        )
    cause = error
    while isinstance(cause, AttributeError) and cause.__context__:
        cause = cause.__context__
    if isinstance(cause, discord.ConnectionClosed) and cause.code == TOKEN_REFUSED_CODE:
        return JuneError("Discord's gateway does not take the token: set JUNE_DISCORD_TOKEN to that of your bot.")
    if isinstance(cause, discord.ConnectionClosed) and cause.code in CLOSE_CODES:
        return JuneError(f"Discord's gateway refuses june for good: {CLOSE_CODES[cause.code]} (code {cause.code}).")
    return UnavailableError(f"Discord's gateway {host or ''} was not reached: {_cause(cause)}.".replace("  ", " "))


def _cause(error: BaseException) -> str:
    """Say why a connection failed."""
    match error:
        case discord.ConnectionClosed():
            return f"it closed the connection with code {error.code}"
        case ReconnectWebSocket():
            return "it closed the connection before it said anything"
        case aiohttp.WSServerHandshakeError():
            return f"it answered the handshake with HTTP {error.status}"
        case aiohttp.ClientConnectorCertificateError():
            return f"its certificate is not trusted ({error.certificate_error})"
        case aiohttp.ClientSSLError():
            return f"no TLS connection could be made ({error.os_error})"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known to the network (DNS)"
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return f"the connection was not made ({os.strerror(number) if number else error.os_error})"
        case TimeoutError():
            return "it did not answer in time"
        case aiohttp.ClientError() | OSError() | discord.DiscordException():
            return f"{type(error).__name__}: {error}"
        case _:
            return f"it said something that is not of Discord's protocol ({type(error).__name__})"
