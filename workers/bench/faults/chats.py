"""People who talk to june in a campaign: by a platform's bot, by the web page, and by platform ``file``."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from activities.error_codes import ErrorCode
from activities.values import AudioSource, Notice
from bots.intake import accept
from bots.texts.catalogue import say
from workers.bench.faults.bot_api import BotApi
from workers.bench.faults.dialogue import question, read
from workflows.voice.contracts import Limits, VoiceMessageRequest
from workflows.voice.last_reply import MAX_IN_DOUBT

RETRY_SECONDS = 0.25
"""Somebody whose message is not taken sends the same again."""
REQUEST_SECONDS = 10.0
NO_LIMITS = Limits(waiting=1000, messages_per_minute=1000)
SPOKEN_EVERY = 2
"""On Telegram every so many messages are spoken, with a caption; the others are typed."""
UNCERTAIN = ErrorCode.REPLY_UNCERTAIN.value
DOUBTS = {say(Notice(key=UNCERTAIN, params={"answers": n}), "en"): n for n in range(1, MAX_IN_DOUBT + 1)}
"""Of how many answers each sentence says that they may not have arrived."""


class Chat(Protocol):
    """A chat in which somebody talks."""

    platform: str
    name: str
    messages: list[str]
    """Ids of what was said, in order."""

    @property
    def chat(self) -> str:
        """The chat's id in june."""

    async def say(self) -> None:
        """Say the next; return when it is with the platform, or june has taken it."""

    def delivered(self, message: str) -> "Delivered":
        """Return what the platform has in reply to a message."""

    def told_of(self, uncertain: Collection[int]) -> set[int]:
        """Return of which uncertain answers june has told, by the numbers of their messages."""


@dataclass(frozen=True)
class Delivered:
    """Replies to a message."""

    texts: tuple[str, ...] = ()
    voices: int = 0
    place: float | None = None
    """Of the answer among all that was sent; a word of june's before it (how many wait) has none."""
    keeps: bool = True


@dataclass
class TelegramChat:
    """A private chat with the bot; messages are safe with the platform."""

    api: BotApi
    user: int
    name: str
    platform: str = "telegram"
    messages: list[str] = field(default_factory=list)

    @property
    def chat(self) -> str:
        return str(self.user)

    async def say(self) -> None:
        number = len(self.messages) + 1
        spoken = number % SPOKEN_EVERY == 0
        self.messages.append(str(self.api.say(self.user, question(self.name, number), spoken=spoken)))

    def delivered(self, message: str) -> Delivered:
        replies = [one for one in self.api.sent if (one.chat, one.answers) == (self.user, int(message))]
        texts = [one for one in replies if one.text]
        place = next((one.message for one in texts if read(one.text)), None)
        return Delivered(tuple(one.text for one in texts), sum(one.voice for one in replies), place)

    def told_of(self, uncertain: Collection[int]) -> set[int]:
        """See the protocol; a sentence tells of the last ones up to the answer that it is about."""
        told = set[int]()
        for one in self.api.sent:
            if one.chat == self.user and one.text in DOUBTS and str(one.answers) in self.messages:
                number = self.messages.index(str(one.answers)) + 1
                told.update(sorted(doubt for doubt in uncertain if doubt <= number)[-DOUBTS[one.text] :])
        return told


@dataclass
class FileChat:
    """A chat by recordings, handed to june as ``june talk`` does."""

    client: Client
    recording: Path
    outbox: Path
    name: str
    platform: str = "file"
    messages: list[str] = field(default_factory=list)

    @property
    def chat(self) -> str:
        return self.name

    async def say(self) -> None:
        number = len(self.messages) + 1
        request = VoiceMessageRequest(
            platform=self.platform,
            chat=self.chat,
            message=f"m{number}",
            audio=AudioSource(locator=str(self.recording)),
            remark=question(self.name, number),
            limits=NO_LIMITS,
        )
        while True:
            try:
                await accept(self.client, request)
                break
            except RPCError:
                await asyncio.sleep(RETRY_SECONDS)
        self.messages.append(request.message)

    def delivered(self, message: str) -> Delivered:
        text, voice = (self.outbox / self.chat / f"{message}{ending}" for ending in (".txt", ".ogg"))
        texts = (text.read_text(),) if text.exists() else ()
        return Delivered(texts, int(voice.exists()))

    def told_of(self, uncertain: Collection[int]) -> set[int]:
        """See the protocol; nothing is uncertain here, as what is sent twice is there once."""
        del uncertain
        return set()


@dataclass
class WebChat:
    """A browser with the page; it sends a message again, by the same id, until it is told that june has it."""

    url: str
    name: str
    browser: httpx.AsyncClient
    platform: str = "web"
    messages: list[str] = field(default_factory=list)
    chat: str = ""

    async def say(self) -> None:
        number = len(self.messages) + 1
        message = f"message-{number}"
        while not await self._sent(message, question(self.name, number)):  # noqa: ASYNC110 - nothing tells when it may
            await asyncio.sleep(RETRY_SECONDS)
        self.messages.append(message)

    async def _sent(self, message: str, text: str) -> bool:
        try:
            if not self.chat:
                opened = await self.browser.post(f"{self.url}/api/session", json={})
                if opened.status_code != httpx.codes.OK:
                    return False
                self.chat = opened.json()["link"].rpartition("%2F")[2]
            answer = await self.browser.post(f"{self.url}/api/messages", params={"id": message}, json={"text": text})
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.ACCEPTED

    def delivered(self, message: str) -> Delivered:
        del message
        return Delivered(keeps=False)

    def told_of(self, uncertain: Collection[int]) -> set[int]:
        """See the protocol; nothing is uncertain here, as what is sent twice is there once."""
        del uncertain
        return set()


def browser(url: str) -> httpx.AsyncClient:
    """Return a browser with a page open: it keeps cookies, and knows no proxy."""
    return httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False, headers={"Origin": url})


def open_chats(
    count: int, api: BotApi, client: Client, recording: Path, outbox: Path, web_url: str
) -> Sequence[TelegramChat | FileChat | WebChat]:
    """Open chats: of each five three on Telegram, one by files, one on the page."""
    chats: list[TelegramChat | FileChat | WebChat] = []
    for number in range(1, count + 1):
        match number % 5:
            case 1:
                chats.append(FileChat(client, recording, outbox, f"file{number}"))
            case 2:
                chats.append(WebChat(web_url, f"web{number}", browser(web_url)))
            case _:
                chats.append(TelegramChat(api, 1000 + number, f"tele{number}"))
    return chats
