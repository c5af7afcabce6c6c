"""Platform ``discord``: recordings by message, replies by text and native voice messages.

Chat ``@<user id>`` is the private channel of june and that person, whose id is not known before it is opened.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import discord
from discord.http import HTTPClient, MultipartParameters
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.live_text import LiveText
from activities.platforms.discord.markdown import parts_of, suppresses_embeds
from activities.platforms.discord.requests import (
    ASKING_FAILED,
    JSON,
    LIVE_MARK,
    MISSING_PERMISSIONS_CODE,
    NO_HISTORY_CODE,
    UNKNOWN_MESSAGE_CODE,
    VOICE_FLAG,
    Upload,
    find_live,
    find_sent,
    message_body,
    nonce,
    parameters,
    request_error,
    waveform,
)
from activities.platforms.discord.signed_links import LinkExpiredError, SignedLinks, read_link
from activities.platforms.platform import (
    Document,
    MessageText,
    Presence,
    VoiceForbiddenError,
    VoiceNote,
)
from activities.values import Address, AudioSource

_log = logging.getLogger(__name__)

HISTORY_LIMIT = 100
"""Messages from the one answered on, among which a later attempt looks for what an earlier one sent."""
USER_PREFIX = "@"
"""Before the id of a person, as the name of a chat."""
SUPPRESS_EMBEDS = discord.MessageFlags(suppress_embeds=True).value
LOCATOR = re.compile(r"([0-9]+)/([0-9]+)/([0-9]+)")


class DiscordPlatform:
    """Discord by its REST interface. Every send has a nonce, so that sending again leaves a single message."""

    platform = "discord"
    repeatable = True
    caption_limit = 0
    """A native voice message takes no content."""
    file_limit = 10_000_000
    """Of a server without boosts."""

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
        self._live_texts: dict[tuple[str, str], LiveText] = {}
        """Of the turns under way, by chat and message."""
        self._unfinished: dict[tuple[str, str], str] = {}
        """Messages with a part of the text whose last edit is to be tried again."""

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
        with _asking(ErrorCode.AUDIO_MISSING):
            found: Any = await self._http.get_message(channel, message_id)
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

    async def send_text(self, to: Address, text: MessageText) -> str:
        """Send text in as many messages as it takes, the first as a reply; return the last one's id.

        A message that shows the text so far becomes the first.

        Raises:
            BadInputError: ``chat-gone``, ``reply-failed``.
            ApplicationError: Discord asks for a pause, or does not answer.

        """
        parts = parts_of(text)
        if not parts:
            raise BadInputError(ErrorCode.REPLY_FAILED, "The text is empty.")
        sent = await self._complete_live_text(to, parts[0])
        for index, part in enumerate(parts):
            if index or sent is None:
                flags = suppresses_embeds(part)
                number = nonce(to.message, f"{index}/{part}")
                body = message_body(number, part, None if index else to.message, flags=flags)
                with _asking(ErrorCode.REPLY_FAILED):
                    sent = await self._send(to, body)
        return sent or ""

    async def _complete_live_text(self, to: Address, part: str) -> str | None:
        """Make the answer's first part of the message with the text so far; return its id, None if there is none."""
        key = (to.chat, to.message)
        live, message = self._live_texts.get(key), self._unfinished.pop(key, None)
        if live:
            message = await live.finish() or message
        if message is None and _is_repeated():
            message = await self.find_live(to)
        if message is None:
            return None
        try:
            return message if await self.edit(to, message, part) else None
        except BadInputError as error:
            if error.type == ErrorCode.CHAT_GONE.value:
                raise
            _log.info("message %s in channel %s cannot be edited: %s", message, to.chat, error)
            await self.retract(to, message)
            return None
        except ApplicationError:
            self._unfinished[key] = message
            raise

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a native voice message, or the same as a file where those are not allowed; return its id.

        Raises:
            VoiceForbiddenError: Discord takes neither here.
            BadInputError: ``chat-gone``.
            ApplicationError: Discord asks for a pause, or does not answer.

        """
        drawn, note = await asyncio.to_thread(waveform, voice.data, voice.seconds), Upload(voice.data)
        body = message_body(nonce(to.message, "voice"), reply_to=to.message, flags=VOICE_FLAG)
        try:
            return await self._send(to, body, note, duration_secs=round(voice.seconds, 2), waveform=drawn)
        except ASKING_FAILED as error:
            _raise_unless_refused(error)
            _log.info("no voice messages in channel %s (%s): sending a file", to.chat, error)
        try:
            return await self._send(to, message_body(nonce(to.message, "file"), reply_to=to.message), note)
        except ASKING_FAILED as error:
            _raise_unless_refused(error)
            raise VoiceForbiddenError from error

    async def send_file(self, to: Address, document: Document) -> str:
        """Send a file; return the message's id. Raises as ``send_text`` does."""
        digest = hashlib.sha256(document.data).hexdigest()
        body = message_body(nonce(to.message, f"{document.name}/{digest}"), reply_to=to.message)
        with _asking(ErrorCode.REPLY_FAILED):
            return await self._send(to, body, Upload(document.data, document.name, "application/octet-stream"))

    async def _send(self, to: Address, body: JSON, file: Upload | None = None, **attachment: object) -> str:
        """Send a message once, over all attempts; without a reference where june may not read the history."""
        channel = await self._channel(to)
        if _is_repeated():  # Discord forgets a nonce after some minutes, so look for the message as well
            sent = find_sent(await self._since(to), body, file.name if file else None)
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
        with params:
            return str((await self._http.send_message(channel, params=params))["id"])

    async def _since(self, to: Address) -> list[JSON]:
        """List the channel's messages from the one that is answered on; none where june may not read them."""
        try:
            since = await self._http.logs_from(await self._channel(to), HISTORY_LIMIT, after=int(to.message) - 1)
        except ASKING_FAILED as error:  # what is sent next meets whatever is wrong
            _log.info("the history of channel %s cannot be read: %s", to.chat, error)
            return []
        return cast("list[JSON]", since)

    async def _channel(self, to: Address) -> int:
        """Return the channel's id; Discord opens a private one the first time, and returns the same again."""
        if not to.chat.startswith(USER_PREFIX):
            return int(to.thread or to.chat)
        return int((await self._http.start_private_message(to.chat.removeprefix(USER_PREFIX)))["id"])

    async def retract(self, to: Address, message: str) -> None:
        """Delete a message of june's own; one that is gone is deleted, and what cannot be stays."""
        try:
            await self._http.delete_message(await self._channel(to), int(message))
        except discord.NotFound:
            return
        except ASKING_FAILED as error:
            _log.info("message %s in channel %s stays: %s", message, to.chat, error)

    # The turn under way

    @asynccontextmanager
    async def presence(
        self,
        to: Address,
        *,
        speaks: bool,
        captioned: bool,
        shown: str | None,  # noqa: ARG002 - found in the channel, where it also stands what has become of it
    ) -> AsyncIterator[Presence]:
        """Show june typing, and the text as it is written, until the block is left."""
        live = LiveText(self, to, with_text=not (speaks and captioned))
        key = (to.chat, to.message)
        self._live_texts[key] = live
        try:
            async with live:
                yield live
        finally:
            if self._live_texts.get(key) is live:
                del self._live_texts[key]

    async def show_typing(self, to: Address) -> None:
        """Show for ten seconds that june is typing."""
        with _asking(ErrorCode.REPLY_FAILED):
            await self._http.send_typing(await self._channel(to))

    async def post_live(self, to: Address, content: str) -> str:
        """Send a message with the text so far, in reply; return its id."""
        attempt = activity.info().attempt if activity.in_activity() else 1
        body = message_body(nonce(to.message, f"live/{attempt}"), content, to.message, flags=SUPPRESS_EMBEDS)
        with _asking(ErrorCode.REPLY_FAILED):
            return await self._send(to, body)

    async def edit(self, to: Address, message: str, content: str) -> bool:
        """Replace the content of a message; return False if it is gone."""
        live = content.endswith(LIVE_MARK)
        flags = SUPPRESS_EMBEDS if live else suppresses_embeds(content)
        body: JSON = {"content": content, "allowed_mentions": {"parse": []}, "flags": flags}
        with _asking(ErrorCode.REPLY_FAILED):
            try:
                with parameters(body) as params:
                    await self._http.edit_message(await self._channel(to), int(message), params=params)
            except discord.NotFound as error:
                if error.code == UNKNOWN_MESSAGE_CODE:
                    return False
                raise
        return True

    async def retract_live(self, to: Address, message: str) -> None:
        """Delete a message with the text so far, where that is possible; one that is an answer by now stays."""
        try:
            found: Any = await self._http.get_message(await self._channel(to), int(message))
        except discord.Forbidden:  # without the permission to read, nothing but this process knows of it
            await self.retract(to, message)
        except ASKING_FAILED as error:
            _log.info("message %s in channel %s is left as it is: %s", message, to.chat, error)
        else:
            if found["content"].endswith(LIVE_MARK.strip()):
                await self.retract(to, message)

    async def find_live(self, to: Address) -> str | None:
        """Find the message with the text so far that a process before this one has left."""
        return find_live(await self._since(to), to.message)


@contextmanager
def _asking(code: ErrorCode) -> Iterator[None]:
    """Raise what a failed request means; a refusal means ``code`` where nothing more is known."""
    try:
        yield
    except ASKING_FAILED as error:
        raise request_error(error, code) from error


def _is_repeated() -> bool:
    """Return whether an attempt before this one may have sent something."""
    return activity.in_activity() and activity.info().attempt > 1


def _raise_unless_refused(error: Exception) -> None:
    """Raise what is not a refusal of this kind of message.

    Without the permission to send voice files may well be allowed.
    """
    if isinstance(error, discord.HTTPException) and error.code == MISSING_PERMISSIONS_CODE:
        return
    raised = request_error(error, ErrorCode.VOICE_FORBIDDEN)
    if not isinstance(raised, BadInputError) or raised.type == ErrorCode.CHAT_GONE.value:
        raise raised from error
