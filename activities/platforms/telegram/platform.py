"""Platform ``telegram``: files by ``getFile``, replies as messages, progress as chat action and live text."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from telegram import Bot, File, Message
from telegram.constants import ChatAction, FileSizeLimit, MessageLimit
from telegram.error import BadRequest, ChatMigrated, RetryAfter, TelegramError
from telegram.request import HTTPXRequest
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, Presence, SendUncertainError, VoiceNote
from activities.platforms.telegram.errors import (
    NOT_MODIFIED,
    TOO_LONG,
    download_error,
    is_about,
    retry_later,
    seconds_of,
    send_error,
)
from activities.platforms.telegram.formatted import Formatted, split_formatted
from activities.platforms.telegram.live_text import LiveText
from activities.platforms.telegram.message import composed
from activities.platforms.telegram.pacing import Pacing
from activities.platforms.telegram.ways import Call, TellOwners, Way, Ways
from activities.text.message_parts import units
from activities.values import Address, AudioSource

_log = logging.getLogger(__name__)

MAX_DELAY_SECONDS = 5.0
"""A send waits so long for its place in the chat; for a longer wait Temporal tries again."""
PART_TIMEOUT_SECONDS = 60.0
"""The later parts of a text wait so long, as what was sent already cannot be sent again."""
PART_RETRY_SECONDS = 1.0
DOWNLOAD_SECONDS = 20.0
"""Without a byte, then the download is tried again."""
UPLOAD_SECONDS = 30.0
FILE_SECONDS = 90.0
"""Of a file of 50 MB."""
SHORTEST_UNITS = 64
"""A shorter text is not split any further where a server finds it too long."""

T = TypeVar("T")


class TelegramPlatform:
    """Telegram, by a bot's token; a send cannot be repeated without a second message."""

    platform = "telegram"
    repeatable = False
    caption_limit = int(MessageLimit.CAPTION_LENGTH)
    file_limit = int(FileSizeLimit.FILESIZE_UPLOAD)

    def __init__(self, bot: Bot, pacing: Pacing | None = None, tell_owners: TellOwners | None = None) -> None:
        """Use a bot, which must not repeat calls by itself; tell owners where answers cannot go as they should."""
        self._bot = bot
        self._pacing = pacing or Pacing()
        self._files = httpx.AsyncClient(timeout=DOWNLOAD_SECONDS)
        self._live_texts: dict[tuple[str, str], LiveText] = {}
        """Of the turns under way, by chat and message."""
        self._unfinished: dict[tuple[str, str], str] = {}
        """Messages with a part of the text whose last edit is to be tried again."""
        self._ways = Ways(tell_owners)

    # Files

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Download a file by its id, up to ``max_bytes + 1`` bytes.

        Raises:
            BadInputError: ``audio-missing``, ``audio-too-large``.
            ApplicationError: the server did not hand it over this time.

        """
        try:
            file = await self._bot.get_file(source.locator)
        except TelegramError as error:
            raise download_error(error) from None
        if (file.file_size or 0) > max_bytes:
            message = f"The file has more than {max_bytes} bytes."
            raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=max_bytes)
        return await self._read(file, max_bytes + 1)

    async def _read(self, file: File, size: int) -> bytes:
        """Read a file's first bytes. Its address holds the token, so no error may show it."""
        address = file.file_path or ""
        if not address.startswith(("http://", "https://")):  # a server of one's own, in its local mode
            return await asyncio.to_thread(_read_local, Path(address), size)
        if not isinstance(self._bot.request, HTTPXRequest):  # a double, which is asked the library's way
            try:
                return bytes((await file.download_as_bytearray())[:size])
            except TelegramError as error:
                raise download_error(error) from None
        data = bytearray()
        try:
            async with self._files.stream("GET", address) as response:
                if response.status_code != httpx.codes.OK:
                    raise retry_later(1, f"The file's server answered {response.status_code}.")  # a new link may do
                async for chunk in response.aiter_bytes(64 << 10):
                    data += chunk[: size - len(data)]
                    if len(data) >= size:
                        break
        except httpx.HTTPError as error:
            raise retry_later(1, f"The file was not read to its end: {type(error).__name__}.") from None
        return bytes(data)

    # Replies

    async def send_text(self, to: Address, text: MessageText) -> str:
        """Send text, in parts where it is long; a message that shows the text so far becomes the first part.

        Raises:
            SendUncertainError: it, or a part of it, may or may not have been sent.
            BadInputError: ``chat-gone``, ``reply-failed``.

        """
        parts = split_formatted(composed(text), MessageLimit.MAX_TEXT_LENGTH)
        if not parts:
            raise BadInputError(ErrorCode.REPLY_FAILED, "The text is empty.")
        key = (to.chat, to.message)
        live, message = self._live_texts.get(key), self._unfinished.pop(key, None)
        if live:
            message = await live.finish() or message
        if message is None or not await self._edit(to, message, parts[0]):
            message = await self._send_first(to, parts)
        return await self._send_rest(to, parts[1:]) or message

    async def send_notice(self, to: Address, sentence: str) -> str:
        """Send a sentence of june's own, such as a command's outcome; raises as ``send_text`` does."""
        return await self.send_text(to, MessageText(notice=sentence))

    async def retract(self, to: Address, message: str) -> None:
        """Delete a message of june's own; one that stays changes nothing."""
        try:
            await self._bot.delete_message(self._ways.chat(to), int(message))
        except TelegramError as error:
            _log.info("message %s in chat %s stays: %s", message, to.chat, error.message)

    async def _send_first(self, to: Address, parts: list[Formatted]) -> str:
        """Send the first of the parts; where the server finds it too long, it and its remainder are two parts."""
        while True:
            try:
                return str((await self._send(to, self._text_call(parts[0]), formatted=bool(parts[0].spans))).message_id)
            except _TooLongError as error:
                if units(parts[0].text) < SHORTEST_UNITS:
                    raise BadInputError(ErrorCode.REPLY_FAILED, str(error)) from None
                parts[:1] = split_formatted(parts[0], units(parts[0].text) // 2 + 1)

    async def _send_rest(self, to: Address, parts: list[Formatted]) -> str | None:
        """Send the later parts in the chat's pace; return the last one's id.

        Raises:
            SendUncertainError: one was not sent, as a retry would repeat those before.

        """
        message = None
        try:
            for part in parts:
                message = await self._send_part(to, part)
        except (TelegramError, TimeoutError) as error:
            raise SendUncertainError(f"A part of the text was not sent: {error}") from None
        return message

    async def _edit(self, to: Address, message: str, part: Formatted) -> bool:
        """Replace the text so far with the answer, in its message; return False if the answer is still to be sent."""

        async def call(way: Way) -> None:
            await self._bot.edit_message_text(
                _text(part, way), way.chat, int(message), entities=part.entities if way.formatted else None
            )

        try:
            if self._ways.chat(to) == int(to.chat):
                await self._ways.send(to, call, formatted=bool(part.spans), moves=False)
                return True
        except BadRequest as error:
            if is_about(error, NOT_MODIFIED):
                return True
            _log.info("the text so far in chat %s cannot become the answer: %s", to.chat, error.message)
            await self.retract(to, message)
        except ChatMigrated:
            pass  # messages stay behind; what is sent next finds the new chat
        except TelegramError as error:
            raised = send_error(error)
            if not isinstance(raised, BadInputError):
                self._unfinished[to.chat, to.message] = message
            if isinstance(raised, SendUncertainError):  # editing twice leaves one text
                raised = retry_later(1, error.message)
            raise raised from None
        return False

    async def _send_part(self, to: Address, part: Formatted) -> str:
        """Send a later part in the chat's pace; return its id.

        Pauses, and a network that is away, are waited for here, as a retry would repeat the parts before.
        """
        async with asyncio.timeout(PART_TIMEOUT_SECONDS):
            await asyncio.sleep(self._pacing.reserve(self._ways.chat(to)))
            while True:
                try:
                    sent = await self._ways.send(to, self._text_call(part), formatted=bool(part.spans))
                except TelegramError as error:
                    raised = send_error(error)
                    if not isinstance(raised, ApplicationError) or raised.non_retryable:
                        raise
                    delay = raised.next_retry_delay
                    await asyncio.sleep(delay.total_seconds() if delay else PART_RETRY_SECONDS)
                else:
                    return str(sent.message_id)

    def _text_call(self, part: Formatted) -> "Call[Message]":
        def call(way: Way) -> Awaitable[Message]:
            return self._bot.send_message(
                way.chat,
                _text(part, way),
                entities=part.entities if way.formatted else None,
                message_thread_id=way.thread,
                reply_parameters=way.reply_parameters,
            )

        return call

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a voice note, in reply to the message; with a caption it is all there is to read, so drafts end.

        A caption that is too long with its formatting follows as a text.

        Raises:
            VoiceForbiddenError: the receiver does not accept voice messages.
            SendUncertainError: it, or its text, may or may not have been sent.
            BadInputError: ``chat-gone``, ``reply-failed``.

        """
        live = self._live_texts.get((to.chat, to.message))
        if any(voice.caption) and live and (told := await live.finish()):
            await self.retract(to, told)
        caption = composed(voice.caption)
        follows = units(caption.text) > self.caption_limit
        try:
            sent = await self._send_note(to, voice, Formatted("") if follows else caption)
        except _TooLongError:
            follows, sent = True, await self._send_note(to, voice, Formatted(""))
        if follows:
            await self._send_rest(to, split_formatted(caption, MessageLimit.MAX_TEXT_LENGTH))
        return sent

    async def _send_note(self, to: Address, voice: VoiceNote, caption: Formatted) -> str:
        def call(way: Way) -> Awaitable[Message]:
            return self._bot.send_voice(
                way.chat,
                voice.data,
                caption=_text(caption, way, self.caption_limit) or None,
                caption_entities=caption.entities if way.formatted else None,
                filename="reply.ogg",
                duration=max(1, round(voice.seconds)),
                message_thread_id=way.thread,
                reply_parameters=way.reply_parameters,
                read_timeout=UPLOAD_SECONDS,
                write_timeout=UPLOAD_SECONDS,
            )

        return str((await self._send(to, call, formatted=bool(caption.spans))).message_id)

    async def send_file(self, to: Address, document: Document) -> str:
        """Send a file, in reply to the message; raises as ``send_text`` does."""

        def call(way: Way) -> Awaitable[Message]:
            return self._bot.send_document(
                way.chat,
                document.data,
                filename=document.name,
                disable_content_type_detection=True,
                message_thread_id=way.thread,
                reply_parameters=way.reply_parameters,
                read_timeout=FILE_SECONDS,
                write_timeout=FILE_SECONDS,
            )

        return str((await self._send(to, call, formatted=False)).message_id)

    async def _send(self, to: Address, call: "Call[T]", *, formatted: bool) -> T:
        """Send in the chat's pace; where Telegram asks for a pause, or many wait, Temporal tries again later."""
        chat = self._ways.chat(to)
        delay = self._pacing.delay(chat)
        if delay > MAX_DELAY_SECONDS:
            raise retry_later(delay, "This chat has had as many messages as Telegram allows for now.")
        await asyncio.sleep(self._pacing.reserve(chat))
        try:
            return await self._ways.send(to, call, formatted=formatted)
        except BadRequest as error:
            if is_about(error, TOO_LONG):
                raise _TooLongError(error.message) from None
            raise self._send_error(to, error) from None
        except TelegramError as error:
            raise self._send_error(to, error) from None

    def _send_error(self, to: Address, error: TelegramError) -> Exception:
        """Return what to raise, and log what happens next; both are ordinary."""
        if isinstance(error, RetryAfter):
            seconds = seconds_of(error)
            self._pacing.hold(self._ways.chat(to), seconds)
            _log.info("chat %s is sent nothing for %.0f s, as Telegram asks", to.chat, seconds)
        else:
            _log.info("nothing was sent to chat %s: %s", to.chat, error.message)
        return send_error(error)

    # The turn under way

    @asynccontextmanager
    async def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AsyncIterator[Presence]:
        """Show the chat action, and the text as it is written, until the block is left."""
        action = ChatAction.RECORD_VOICE if speaks else ChatAction.TYPING
        drafts_only = speaks and captioned
        live = LiveText(self._bot, self._pacing, self._ways, to, action, shown, drafts_only=drafts_only)
        key = (to.chat, to.message)
        self._live_texts[key] = live
        try:
            async with live:
                yield live
        finally:
            if self._live_texts.get(key) is live:
                del self._live_texts[key]


class _TooLongError(Exception):
    """The server finds a text or a caption too long; nothing was sent."""


def _text(part: Formatted, way: Way, limit: int = MessageLimit.MAX_TEXT_LENGTH) -> str:
    """Return the text for a way: without formatting, links are written out if they fit."""
    return part.plain if not way.formatted and units(part.plain) <= limit else part.text


def _read_local(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        raise BadInputError(ErrorCode.AUDIO_MISSING, "The server's file is not there.") from None
