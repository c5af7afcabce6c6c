"""Platform ``telegram``: files by ``getFile``, replies as messages, progress as chat action and live text."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from telegram import Bot, File, Message, ReplyParameters
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, ChatMigrated, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Presence, SendUncertainError, VoiceNote
from activities.platforms.telegram.errors import download_error, retry_later, seconds_of, send_error
from activities.platforms.telegram.live_text import LiveText
from activities.platforms.telegram.pacing import Pacing
from activities.text.message_parts import split_text
from activities.values import Address, AudioSource

MAX_DELAY_SECONDS = 5.0
"""A send waits so long for its place in the chat; for a longer wait Temporal tries again."""
PART_TIMEOUT_SECONDS = 60.0
"""The later parts of a text wait so long, as what was sent already cannot be sent again."""
DOWNLOAD_SECONDS = 20.0
"""Without a byte, then the download is tried again."""
UPLOAD_SECONDS = 30.0

T = TypeVar("T")
Call = Callable[[int], Awaitable[T]]
"""Something to send to a chat, by its id."""


class TelegramPlatform:
    """Telegram, by a bot's token; a send cannot be repeated without a second message."""

    platform = "telegram"
    repeatable = False
    caption_limit = int(MessageLimit.CAPTION_LENGTH)

    def __init__(self, bot: Bot, pacing: Pacing | None = None) -> None:
        """Use a bot, which must not repeat calls by itself."""
        self._bot = bot
        self._pacing = pacing or Pacing()
        self._files = httpx.AsyncClient(timeout=DOWNLOAD_SECONDS)
        self._live_texts: dict[tuple[str, str], LiveText] = {}
        """Of the turns under way, by chat and message."""
        self._unfinished: dict[tuple[str, str], str] = {}
        """Messages with a part of the text whose last edit is to be tried again."""
        self._migrated: dict[int, int] = {}
        """Groups that have become supergroups, and so have another id."""

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

    async def send_text(self, to: Address, text: str) -> str:
        """Send text, in parts where it is long; a message that shows the text so far becomes the first part.

        Raises:
            SendUncertainError: it, or a part of it, may or may not have been sent.
            BadInputError: ``chat-gone``, ``reply-failed``.

        """
        parts = split_text(text, MessageLimit.MAX_TEXT_LENGTH)
        if not parts:
            raise BadInputError(ErrorCode.REPLY_FAILED, "The text is empty.")
        key = (to.chat, to.message)
        live, message = self._live_texts.get(key), self._unfinished.pop(key, None)
        if live:
            message = await live.finish() or message
        if message is None or not await self._edit(to, message, parts[0]):
            message = str((await self._send(to, self._text_call(to, parts[0]))).message_id)
        try:
            for part in parts[1:]:
                message = await self._send_part(to, part)
        except (TelegramError, TimeoutError) as error:
            raise SendUncertainError(f"A part of the text was not sent: {error}") from None
        return message

    async def _edit(self, to: Address, message: str, text: str) -> bool:
        """Replace the text so far with the answer, in its message; return False if that was deleted."""
        try:
            await self._bot.edit_message_text(text, self._chat(to), int(message))
        except BadRequest as error:
            return "not modified" in error.message.lower()
        except ChatMigrated:
            return False  # messages stay behind; what is sent next finds the new chat
        except TelegramError as error:
            raised = send_error(error)
            if not isinstance(raised, BadInputError):
                self._unfinished[to.chat, to.message] = message
            if isinstance(raised, SendUncertainError):  # editing twice leaves one text
                raised = retry_later(1, error.message)
            raise raised from None
        return True

    async def _send_part(self, to: Address, text: str) -> str:
        """Send a later part in the chat's pace; return its id. Pauses are waited for here, as a retry would repeat."""
        async with asyncio.timeout(PART_TIMEOUT_SECONDS):
            await asyncio.sleep(self._pacing.reserve(self._chat(to)))
            while True:
                try:
                    return str((await self._text_call(to, text)(self._chat(to))).message_id)
                except RetryAfter as error:
                    await asyncio.sleep(seconds_of(error))

    def _text_call(self, to: Address, text: str) -> "Call[Message]":
        return partial(
            self._bot.send_message, text=text, message_thread_id=_thread(to), reply_parameters=_reply_parameters(to)
        )

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a voice note, in reply to the message; with a caption it is all there is to read, so drafts end.

        Raises:
            VoiceForbiddenError: the receiver does not accept voice messages.
            SendUncertainError: it may or may not have been sent.
            BadInputError: ``chat-gone``, ``reply-failed``.

        """
        live = self._live_texts.get((to.chat, to.message))
        if voice.caption and live:
            await live.finish()
        call = partial(
            self._bot.send_voice,
            voice=voice.data,
            caption=voice.caption or None,
            filename="reply.ogg",
            duration=max(1, round(voice.seconds)),
            message_thread_id=_thread(to),
            reply_parameters=_reply_parameters(to),
            read_timeout=UPLOAD_SECONDS,
            write_timeout=UPLOAD_SECONDS,
        )
        return str((await self._send(to, call)).message_id)

    async def _send(self, to: Address, call: "Call[T]") -> T:
        """Send in the chat's pace; where Telegram asks for a pause, or many wait, Temporal tries again later."""
        chat = self._chat(to)
        delay = self._pacing.delay(chat)
        if delay > MAX_DELAY_SECONDS:
            raise retry_later(delay, "This chat has had as many messages as Telegram allows for now.")
        await asyncio.sleep(self._pacing.reserve(chat))
        try:
            try:
                return await call(chat)
            except ChatMigrated as error:
                self._migrated[chat] = error.new_chat_id
                chat = error.new_chat_id
                return await call(chat)
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                self._pacing.hold(chat, seconds_of(error))
            raise send_error(error) from None

    def _chat(self, to: Address) -> int:
        chat = int(to.chat)
        return self._migrated.get(chat, chat)

    # The turn under way

    @asynccontextmanager
    async def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AsyncIterator[Presence]:
        """Show the chat action, and the text as it is written, until the block is left."""
        action = ChatAction.RECORD_VOICE if speaks else ChatAction.TYPING
        drafts_only = speaks and captioned
        live = LiveText(self._bot, self._pacing, to, self._chat(to), action, shown, drafts_only=drafts_only)
        key = (to.chat, to.message)
        self._live_texts[key] = live
        try:
            async with live:
                yield live
        finally:
            if self._live_texts.get(key) is live:
                del self._live_texts[key]


def _thread(to: Address) -> int | None:
    return int(to.thread) if to.thread else None


def _reply_parameters(to: Address) -> ReplyParameters | None:
    """Reply to the message that is answered, even if it was deleted since; 0 is none."""
    number = int(to.message)
    return ReplyParameters(number, allow_sending_without_reply=True) if number else None


def _read_local(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        raise BadInputError(ErrorCode.AUDIO_MISSING, "The server's file is not there.") from None
