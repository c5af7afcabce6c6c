"""Platform ``discord``: recordings by message, replies by text and native voice messages.

Chat ``@<user id>`` is the private channel of june and that person, whose id is not known before it is opened.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import discord
from discord.http import HTTPClient, MultipartParameters
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.requests import (
    NO_HISTORY,
    TEXT_LIMIT,
    VOICE_FLAG,
    found_among,
    message_of,
    nonce,
    paused,
    plain,
    refused,
    waveform,
    with_file,
)
from activities.platforms.discord.signed_links import LinkExpiredError, Links, Read, read_link
from activities.platforms.platform import Presence, VoiceForbiddenError, VoiceNote
from activities.text.message_parts import split_text
from activities.values import Address, AudioSource

_log = logging.getLogger(__name__)

TYPING_SECONDS = 8.0
"""Discord shows ten."""
SINCE = 100
"""Messages from the one answered on, among which a later attempt looks for what an earlier one sent."""
VOICE_NAME = "voice-message.ogg"
PRIVATE = "@"
"""Before the id of a person, as the name of a chat."""


class DiscordPlatform:
    """Discord by its REST interface. Every send has a nonce, so that sending again leaves a single message."""

    platform = "discord"
    repeatable = True
    caption_limit = 0
    """A native voice message takes no content."""

    def __init__(self, http: HTTPClient, links: Links, read: Read = read_link) -> None:
        """Take the client.

        Args:
            http: logged in; keeps to Discord's rate limits.
            links: of files that cannot be asked for again.
            read: reads a signed link.

        """
        self._http = http
        self._links = links
        self._read = read

    # In

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Ask for the message, whose links are fresh, and read its file.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``, ``chat-gone``,
                ``request-invalid``.

        """
        link = await self._link(source, max_bytes)
        try:
            return await self._read(link, max_bytes)
        except LinkExpiredError:
            link = await self._link(source, max_bytes)
        try:
            return await self._read(link, max_bytes)
        except LinkExpiredError:
            raise BadInputError(ErrorCode.AUDIO_MISSING, "Discord no longer has the file.") from None

    async def _link(self, source: AudioSource, max_bytes: int) -> str:
        channel, message, attachment = _located(source.locator)
        try:
            found = await self._http.get_message(channel, message)
        except discord.RateLimited as error:
            raise paused(error) or error from error
        except discord.HTTPException as error:
            raise refused(error, ErrorCode.AUDIO_MISSING) from error
        for file in _files(found):
            if str(file["id"]) == str(attachment):
                if file["size"] > max_bytes:
                    message_ = f"The file has more than {max_bytes} bytes."
                    raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message_, limit_bytes=max_bytes)
                return str(file["url"])
        if source.link_key is None:
            raise BadInputError(ErrorCode.AUDIO_MISSING, "The message has no such file, or june may not see it.")
        return await self._links.get(source.link_key)

    # Out

    async def send_text(self, to: Address, text: str) -> str:
        """Send text in as many messages as it takes, the first as a reply; return the last one's id.

        Raises:
            BadInputError: ``chat-gone``, ``reply-failed``.
            ApplicationError: Discord asks for a pause.

        """
        sent = ""
        for index, part in enumerate(split_text(text, TEXT_LIMIT)):
            body = message_of(nonce(to.message, f"{index}/{part}"), part, None if index else to.message)
            try:
                sent = await self._send(to, body, plain)
            except discord.HTTPException as error:
                raise refused(error, ErrorCode.REPLY_FAILED) from error
        return sent

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a native voice message, or the same as a file where those are not allowed; return its id.

        Raises:
            VoiceForbiddenError: Discord takes neither here.
            BadInputError: ``chat-gone``.
            ApplicationError: Discord asks for a pause.

        """
        drawn = await asyncio.to_thread(waveform, voice.data, voice.seconds)
        spoken = message_of(nonce(to.message, "voice"), reply_to=to.message, flags=VOICE_FLAG)
        shape = {"duration_secs": round(voice.seconds, 2), "waveform": drawn}
        try:
            return await self._send(to, spoken, lambda body: with_file(body, voice.data, VOICE_NAME, **shape))
        except discord.HTTPException as error:
            _for_now(error)
            _log.info("no voice messages in channel %s (%s): sending a file", to.chat, error.code)
        file = message_of(nonce(to.message, "file"), reply_to=to.message)
        try:
            return await self._send(to, file, lambda body: with_file(body, voice.data, VOICE_NAME))
        except discord.HTTPException as error:
            _for_now(error)
            raise VoiceForbiddenError from error

    async def _send(
        self, to: Address, body: dict[str, Any], pack: Callable[[dict[str, Any]], MultipartParameters]
    ) -> str:
        """Send, unless it was; without the reference where the message it replies to may not be read."""
        channel = await self._channel(to)
        before = await self._sent_before(channel, to.message, body, None if pack is plain else VOICE_NAME)
        if before:
            return before
        try:
            return await self._post(channel, pack(body))
        except discord.HTTPException as error:
            if error.code != NO_HISTORY:
                raise
        unrelated = {name: value for name, value in body.items() if name != "message_reference"}
        return await self._post(channel, pack(unrelated))

    async def _channel(self, to: Address) -> int:
        """Find the channel; Discord opens a private one the first time, and names the same again."""
        if not to.chat.startswith(PRIVATE):
            return int(to.thread or to.chat)
        try:
            return int((await self._http.start_private_message(to.chat.removeprefix(PRIVATE)))["id"])
        except discord.RateLimited as error:
            raise paused(error) or error from error

    async def _sent_before(self, channel: int, answered: str, body: dict[str, Any], file: str | None) -> str | None:
        """Look whether an earlier attempt has sent this: a nonce is remembered for some minutes only."""
        if not (activity.in_activity() and activity.info().attempt > 1):
            return None
        try:
            since = await self._http.logs_from(channel, SINCE, after=int(answered) - 1)
        except discord.DiscordException as error:  # the nonce is left, and whatever is wrong is told by the send
            _log.info("channel %s cannot be looked at: %s", channel, error)
            return None
        return found_among(cast("list[dict[str, Any]]", since), body, file)

    async def _post(self, channel: int, params: MultipartParameters) -> str:
        try:
            with params:
                sent = await self._http.send_message(channel, params=params)
        except discord.RateLimited as error:
            raise paused(error) or error from error
        return str(sent["id"])

    # Meanwhile

    @asynccontextmanager
    async def presence(
        self,
        to: Address,
        *,
        speaks: bool,  # noqa: ARG002 - Discord has one sign for all
        captioned: bool,  # noqa: ARG002
        shown: str | None,  # noqa: ARG002
    ) -> AsyncIterator[Presence]:
        """Show june typing. The text is sent once, as a whole: clients render every edit anew."""
        typing = asyncio.create_task(self._type(to))
        try:
            yield _Typing()
        finally:
            typing.cancel()

    async def _type(self, to: Address) -> None:
        while True:
            try:
                await self._http.send_typing(await self._channel(to))
            except (discord.DiscordException, ApplicationError, aiohttp.ClientError, OSError) as error:
                _log.info("typing is not shown: %s", error)
            await asyncio.sleep(TYPING_SECONDS)


class _Typing:
    shown: str | None = None

    async def show(self, text: str) -> None:
        """Leave it out."""


def _located(locator: str) -> tuple[int, int, int]:
    parts = locator.split("/")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise BadInputError(ErrorCode.REQUEST_INVALID, "A recording on Discord is <channel>/<message>/<attachment>.")
    channel, message, attachment = map(int, parts)
    return channel, message, attachment


def _files(message: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - Discord's JSON
    """List a message's files, those of a message that it forwards included."""
    snapshots = [snapshot["message"] for snapshot in message.get("message_snapshots", [])]
    return [file for holder in (message, *snapshots) for file in holder.get("attachments", [])]


def _for_now(error: discord.HTTPException) -> None:
    """Raise what is not a refusal of this kind of message.

    Without the permission to send voice (50013) files may well be allowed.
    """
    if error.code == 50013:
        return
    told = refused(error, ErrorCode.VOICE_FORBIDDEN)
    if not isinstance(told, BadInputError) or told.type == ErrorCode.CHAT_GONE.value:
        raise told from error
