"""Platform ``discord``: recordings by message, replies by text and native voice messages.

Chat ``@<user id>`` is the private channel of june and that person, whose id is not known before it is opened.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import aiohttp
import discord
from discord.http import HTTPClient, MultipartParameters
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.requests import (
    JSON,
    MISSING_PERMISSIONS_CODE,
    NO_HISTORY_CODE,
    TEXT_LIMIT,
    VOICE_FLAG,
    find_sent,
    message_body,
    nonce,
    parameters,
    rate_limit_error,
    request_error,
    waveform,
)
from activities.platforms.discord.signed_links import LinkExpiredError, SignedLinks, read_link
from activities.platforms.platform import Presence, VoiceForbiddenError, VoiceNote
from activities.text.message_parts import split_text
from activities.values import Address, AudioSource

_log = logging.getLogger(__name__)

TYPING_SECONDS = 8.0
"""Discord shows ten."""
HISTORY_LIMIT = 100
"""Messages from the one answered on, among which a later attempt looks for what an earlier one sent."""
USER_PREFIX = "@"
"""Before the id of a person, as the name of a chat."""
LOCATOR = re.compile(r"([0-9]+)/([0-9]+)/([0-9]+)")


class DiscordPlatform:
    """Discord by its REST interface. Every send has a nonce, so that sending again leaves a single message."""

    platform = "discord"
    repeatable = True
    caption_limit = 0
    """A native voice message takes no content."""

    def __init__(
        self, http: HTTPClient, links: SignedLinks, read: Callable[[str, int], Awaitable[bytes]] = read_link
    ) -> None:
        """Use a client.

        Args:
            http: logged in; keeps to Discord's rate limits.
            links: of files whose messages cannot be read again.
            read: reads at most the first ``max_bytes + 1`` bytes behind a signed link.

        """
        self._http = http
        self._links = links
        self._read = read

    # Files

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Request the message, whose links are fresh, and read its file.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``, ``chat-gone``,
                ``request-invalid``.

        """
        for _ in range(2):  # a link may expire before it is read
            link = await self._find_link(source, max_bytes)
            with suppress(LinkExpiredError):
                return await self._read(link, max_bytes)
        raise BadInputError(ErrorCode.AUDIO_MISSING, "Discord no longer has the file.")

    async def _find_link(self, source: AudioSource, max_bytes: int) -> str:
        """Find a file in its message, or in one that it forwards, or else its stored link."""
        located = LOCATOR.fullmatch(source.locator)
        if located is None:
            message = "A recording on Discord is <channel>/<message>/<attachment>."
            raise BadInputError(ErrorCode.REQUEST_INVALID, message)
        channel, message_id, attachment = map(int, located.groups())
        try:
            found: Any = await self._http.get_message(channel, message_id)
        except discord.RateLimited as error:
            raise rate_limit_error(error) or error from error
        except discord.HTTPException as error:
            raise request_error(error, ErrorCode.AUDIO_MISSING) from error
        forwarded = [snapshot["message"] for snapshot in found.get("message_snapshots", [])]
        for file in [file for holder in (found, *forwarded) for file in holder.get("attachments", [])]:
            if int(file["id"]) == attachment:
                if file["size"] > max_bytes:
                    message = f"The file has more than {max_bytes} bytes."
                    raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=max_bytes)
                return str(file["url"])
        if source.link_key is None:
            raise BadInputError(ErrorCode.AUDIO_MISSING, "The message has no such file, or june may not see it.")
        return await self._links.get(source.link_key)

    # Replies

    async def send_text(self, to: Address, text: str) -> str:
        """Send text in as many messages as it takes, the first as a reply; return the last one's id.

        Raises:
            BadInputError: ``chat-gone``, ``reply-failed``.
            ApplicationError: Discord asks for a pause.

        """
        sent = ""
        for index, part in enumerate(split_text(text, TEXT_LIMIT)):
            body = message_body(nonce(to.message, f"{index}/{part}"), part, None if index else to.message)
            try:
                sent = await self._send(to, body)
            except discord.HTTPException as error:
                raise request_error(error, ErrorCode.REPLY_FAILED) from error
        return sent

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a native voice message, or the same as a file where those are not allowed; return its id.

        Raises:
            VoiceForbiddenError: Discord takes neither here.
            BadInputError: ``chat-gone``.
            ApplicationError: Discord asks for a pause.

        """
        drawn = await asyncio.to_thread(waveform, voice.data, voice.seconds)
        body = message_body(nonce(to.message, "voice"), reply_to=to.message, flags=VOICE_FLAG)
        try:
            return await self._send(to, body, voice.data, duration_secs=round(voice.seconds, 2), waveform=drawn)
        except discord.HTTPException as error:
            _raise_unless_refused(error)
            _log.info("no voice messages in channel %s (%s): sending a file", to.chat, error.code)
        try:
            return await self._send(to, message_body(nonce(to.message, "file"), reply_to=to.message), voice.data)
        except discord.HTTPException as error:
            _raise_unless_refused(error)
            raise VoiceForbiddenError from error

    async def _send(self, to: Address, body: JSON, file: bytes | None = None, **attachment: object) -> str:
        """Send a message once, over all attempts; without a reference where june may not read the history."""
        channel = await self._channel(to)
        if activity.in_activity() and activity.info().attempt > 1:
            # Discord forgets a nonce after some minutes, so look for the message as well.
            try:
                since = await self._http.logs_from(channel, HISTORY_LIMIT, after=int(to.message) - 1)
            except discord.DiscordException as error:  # the nonce is left, and the send meets whatever is wrong
                _log.info("the history of channel %s cannot be read: %s", channel, error)
            else:
                sent = find_sent(cast("list[JSON]", since), body, with_file=file is not None)
                if sent:
                    return sent
        try:
            return await self._post(channel, parameters(body, file, **attachment))
        except discord.HTTPException as error:
            if error.code != NO_HISTORY_CODE:
                raise
        body = {name: value for name, value in body.items() if name != "message_reference"}
        return await self._post(channel, parameters(body, file, **attachment))

    async def _post(self, channel: int, params: MultipartParameters) -> str:
        try:
            with params:
                sent = await self._http.send_message(channel, params=params)
        except discord.RateLimited as error:
            raise rate_limit_error(error) or error from error
        return str(sent["id"])

    async def _channel(self, to: Address) -> int:
        """Return the channel's id; Discord opens a private one the first time, and returns the same again."""
        if not to.chat.startswith(USER_PREFIX):
            return int(to.thread or to.chat)
        try:
            return int((await self._http.start_private_message(to.chat.removeprefix(USER_PREFIX)))["id"])
        except discord.RateLimited as error:
            raise rate_limit_error(error) or error from error

    # The turn under way

    @asynccontextmanager
    async def presence(
        self,
        to: Address,
        *,
        speaks: bool,  # noqa: ARG002 - Discord shows the same for both
        captioned: bool,  # noqa: ARG002
        shown: str | None,  # noqa: ARG002
    ) -> AsyncIterator[Presence]:
        """Show june typing. The text is sent once, as a whole: clients render every edit anew."""

        async def repeat_typing() -> None:
            while True:
                try:
                    await self._http.send_typing(await self._channel(to))
                except (discord.DiscordException, ApplicationError, aiohttp.ClientError, OSError) as error:
                    _log.info("typing is not shown: %s", error)
                await asyncio.sleep(TYPING_SECONDS)

        typing = asyncio.create_task(repeat_typing())
        try:
            yield _Typing()
        finally:
            typing.cancel()


class _Typing:
    """A presence without text."""

    shown: str | None = None

    async def show(self, text: str) -> None:
        """Do nothing."""


def _raise_unless_refused(error: discord.HTTPException) -> None:
    """Raise what is not a refusal of this kind of message.

    Without the permission to send voice files may well be allowed.
    """
    if error.code == MISSING_PERMISSIONS_CODE:
        return
    raised = request_error(error, ErrorCode.VOICE_FORBIDDEN)
    if not isinstance(raised, BadInputError) or raised.type == ErrorCode.CHAT_GONE.value:
        raise raised from error
