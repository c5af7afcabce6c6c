"""Platform ``telegram``: files by ``getFile``, replies as messages, what june is at as chat action and live text."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from telegram import Bot, File, Message, ReplyParameters
from telegram.constants import MessageLimit
from telegram.error import BadRequest, ChatMigrated, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Presence, SendUncertainError, VoiceNote
from activities.platforms.telegram.errors import fetch_fault, pause, seconds_of, send_fault
from activities.platforms.telegram.live_text import Live, showing
from activities.platforms.telegram.pacing import Pacing
from activities.text.message_parts import split_text
from activities.values import Address, AudioSource

TIMEOUT_SECONDS = 5.0
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
        """Take the bot, which must not repeat calls by itself."""
        self._bot = bot
        self._pacing = pacing or Pacing()
        self._files = httpx.AsyncClient(timeout=DOWNLOAD_SECONDS)
        self._turns: dict[tuple[str, str], Live] = {}
        self._unfinished: dict[tuple[str, str], str] = {}
        """Messages with a part of the text whose last edit is to be tried again."""
        self._moved: dict[int, int] = {}
        """Groups that have become supergroups, and so have another id."""

    # Files

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Download a file by its id, up to ``max_bytes + 1`` bytes.

        Raises:
            BadInputError: ``audio-missing``, ``audio-too-large``.

        """
        try:
            file = await self._bot.get_file(source.locator)
        except TelegramError as error:
            raise fetch_fault(error) from None
        if (file.file_size or 0) > max_bytes:
            message = f"The file has more than {max_bytes} bytes."
            raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=max_bytes)
        return await self._read(file, max_bytes + 1)

    async def _read(self, file: File, most: int) -> bytes:
        address = file.file_path or ""
        if not address.startswith(("http://", "https://")):  # a server of one's own, in its local mode
            return await asyncio.to_thread(_read_local, Path(address), most)
        if not isinstance(self._bot.request, HTTPXRequest):  # a double, which is asked the library's way
            try:
                return bytes((await file.download_as_bytearray())[:most])
            except TelegramError as error:
                raise fetch_fault(error) from None
        return await _stream(self._files, address, most)

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
        message = await self._send_first(to, parts[0])
        for part in parts[1:]:
            message = await self._send_next(to, part)
        return message

    async def _send_first(self, to: Address, text: str) -> str:
        key = (to.chat, to.message)
        turn, unfinished = self._turns.get(key), self._unfinished.pop(key, None)
        live = (await turn.finish() if turn else None) or unfinished
        if live and await self._replace(to, live, text):
            return live
        return str((await self._send(to, self._message(to, text))).message_id)

    async def _replace(self, to: Address, live: str, text: str) -> bool:
        """Edit the message that shows the text so far; may be repeated. False: it is not there any more."""
        try:
            await self._bot.edit_message_text(text, self._chat(to), int(live))
        except BadRequest as error:
            return "not modified" in error.message.lower()
        except ChatMigrated:
            return False  # messages stay behind; what is sent next finds the new chat
        except TelegramError as error:
            fault = send_fault(error)
            if isinstance(fault, BadInputError):
                raise fault from None
            self._unfinished[to.chat, to.message] = live
            if isinstance(fault, SendUncertainError):  # editing twice leaves one text
                fault = pause(1, error.message)
            raise fault from None
        return True

    async def _send_next(self, to: Address, text: str) -> str:
        """Send a later part; from here on all that goes wrong leaves part of a text sent."""
        try:
            async with asyncio.timeout(PART_TIMEOUT_SECONDS):
                await asyncio.sleep(self._pacing.take(self._chat(to)))
                while True:
                    try:
                        return str((await self._message(to, text)(self._chat(to))).message_id)
                    except RetryAfter as error:
                        await asyncio.sleep(seconds_of(error))
        except (TelegramError, TimeoutError) as error:
            raise SendUncertainError(f"A part of the text was not sent: {error}") from None

    def _message(self, to: Address, text: str) -> "Call[Message]":
        return partial(
            self._bot.send_message, text=text, message_thread_id=_thread(to), reply_parameters=_in_reply_to(to)
        )

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Send a voice note, in reply to the message; with a caption it is all there is to read, so drafts end.

        Raises:
            VoiceForbiddenError: the receiver does not accept voice messages.
            SendUncertainError: it may or may not have been sent.
            BadInputError: ``chat-gone``, ``reply-failed``.

        """
        turn = self._turns.get((to.chat, to.message))
        if voice.caption and turn:
            await turn.finish()
        call = partial(
            self._bot.send_voice,
            voice=voice.data,
            caption=voice.caption or None,
            filename="reply.ogg",
            duration=max(1, round(voice.seconds)),
            message_thread_id=_thread(to),
            reply_parameters=_in_reply_to(to),
            read_timeout=UPLOAD_SECONDS,
            write_timeout=UPLOAD_SECONDS,
        )
        return str((await self._send(to, call)).message_id)

    async def _send(self, to: Address, call: "Call[T]") -> T:
        """Send in the chat's pace; where Telegram asks for a pause, or many wait, Temporal tries again later."""
        chat = self._chat(to)
        wait = self._pacing.wait(chat)
        if wait > TIMEOUT_SECONDS:
            raise pause(wait, "This chat has had as many messages as Telegram allows for now.")
        await asyncio.sleep(self._pacing.take(chat))
        try:
            return await call(chat)
        except ChatMigrated as error:
            self._moved[chat] = error.new_chat_id
        except RetryAfter as error:
            self._pacing.hold(chat, seconds_of(error))
            raise send_fault(error) from None
        except TelegramError as error:
            raise send_fault(error) from None
        try:
            return await call(self._chat(to))
        except TelegramError as error:
            raise send_fault(error) from None

    def _chat(self, to: Address) -> int:
        chat = int(to.chat)
        return self._moved.get(chat, chat)

    # The turn under way

    @asynccontextmanager
    async def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AsyncIterator[Presence]:
        """Show the chat action, and the text as it is written, until the block is left."""
        live = Live(self._bot, self._pacing, to, self._chat(to), shown, drafts_only=speaks and captioned)
        key = (to.chat, to.message)
        self._turns[key] = live
        try:
            async with showing(live, speaks=speaks):
                yield live
        finally:
            if self._turns.get(key) is live:
                del self._turns[key]


def _thread(to: Address) -> int | None:
    return int(to.thread) if to.thread else None


def _in_reply_to(to: Address) -> ReplyParameters | None:
    """Name the message that is answered; people delete theirs, and want the answer all the same. 0 names none."""
    number = int(to.message)
    return ReplyParameters(number, allow_sending_without_reply=True) if number else None


async def _stream(client: httpx.AsyncClient, address: str, most: int) -> bytes:
    """Read a file's first bytes. The address holds the token, so no error may tell it.

    Raises:
        BadInputError: ``audio-missing``.
        ApplicationError: the server did not hand it over this time.

    """
    data = bytearray()
    try:
        async with client.stream("GET", address) as response:
            if response.status_code != httpx.codes.OK:
                raise pause(1, f"The file's server answered {response.status_code}.")  # a new link may do
            async for chunk in response.aiter_bytes(64 << 10):
                data += chunk[: most - len(data)]
                if len(data) >= most:
                    break
    except httpx.HTTPError as error:
        raise pause(1, f"The file was not read to its end: {type(error).__name__}.") from None
    return bytes(data)


def _read_local(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        raise BadInputError(ErrorCode.AUDIO_MISSING, "The server's file is not there.") from None
