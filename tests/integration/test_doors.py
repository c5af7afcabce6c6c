"""The platforms that are configured: whole turns on the web page, on Telegram and on Discord.

Those two need a chat of the tests' own; without one it is only seen whether the platform knows the bot, and whether
june serves it.
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator

import av
import httpx
import pytest

from activities.audio.codec import decode, seconds_of
from tests.integration.discord_channel import discord_bot, discord_channel
from tests.integration.june import HTTP_SECONDS, June
from tests.integration.owner import asked
from tests.integration.page import Visitor, visitor
from tests.integration.telegram_group import IN_CAPTION, telegram_bot, telegram_group
from tests.integration.test_voice_turn import MOST_SECONDS, QUESTION_SAID
from tests.support.page_client import turns
from tests.support.word_errors import wer
from workers.commands.doctor import check_queue
from workers.local.session import QUESTION
from workers.roles.role import Role
from workers.settings import DiscordSettings, TelegramSettings
from workflows.voice.contracts import VoiceMessageResult


@pytest.fixture
async def web(june: June) -> AsyncIterator[Visitor]:
    """Somebody on the page."""
    if not (june.settings.web_url or (june.state and Role.WEB.program in june.state.ports)):
        pytest.skip("nobody has said where june's web page is: set JUNE_INTEGRATION_WEB_URL")
    async with visitor(june) as browser:
        yield browser


async def test_the_page_answers_a_recording_aloud(june: June, web: Visitor) -> None:
    assert "<title>june" in (await web.http.get("/")).text
    turn = await web.send("recording", QUESTION.read_bytes())
    assert wer(QUESTION_SAID, turn.transcript) <= june.settings.wer_limit
    assert turn.answer
    assert turn.reply
    reply = await web.http.get(f"/{turn.reply.url}")
    assert reply.is_success
    assert decode(reply.content, MOST_SECONDS)


async def test_the_page_answers_a_text_and_shows_it_again(web: Visitor) -> None:
    turn = await web.send("text-one", "What is the capital of France?")
    assert turn.answer
    (again,) = await turns(web.http)
    assert (again["transcript"], again["answer"]) == ("What is the capital of France?", turn.answer)


async def test_the_page_keeps_strangers_out(june: June, web: Visitor) -> None:
    async with httpx.AsyncClient(base_url=june.web_url, timeout=HTTP_SECONDS) as stranger:
        assert (await stranger.get("/api/events")).status_code == 401
        forged = await stranger.post("/api/session", json={}, headers={"Origin": "https://elsewhere.example"})
        assert forged.status_code == 403


async def test_telegram_knows_the_bot_that_june_serves(june: June) -> None:
    async with telegram_bot() as (_, me):
        assert me.is_bot
    await served(june, Role.TELEGRAM)


async def test_telegram_has_a_recording_answered_aloud(june: June) -> None:
    async with telegram_group(june) as (group, owner):
        question = await group.ask(QUESTION.read_bytes(), owner)
        async with asked(june, TelegramSettings(), question, IN_CAPTION) as turn:
            result = await turn.result()
            group.answered(await turn.delivered())
            answered(june, result)
            text, voice = await group.reply()
    shown(result, text, voice)


async def test_discord_knows_the_bot_that_june_serves(june: June) -> None:
    async with discord_bot() as bot:
        assert bot.user
        assert bot.user.bot
    await served(june, Role.DISCORD)


async def test_discord_has_a_recording_answered_aloud(june: June) -> None:
    async with discord_channel(june) as (channel, owner):
        question = await channel.ask(QUESTION.read_bytes(), owner)
        async with asked(june, DiscordSettings(), question, "/voice on") as turn:
            result = await turn.result()
            answered(june, result)
            text, voice = await channel.reply()
    shown(result, text, voice)


def answered(june: June, result: VoiceMessageResult) -> None:
    """See that the question was understood, and answered aloud."""
    assert (result.status, result.error) == ("answered", None)
    assert wer(QUESTION_SAID, result.transcript) <= june.settings.wer_limit
    assert result.answer
    assert result.reply


def shown(result: VoiceMessageResult, text: str, voice: bytes) -> None:
    """See that what the platform has is the answer, in writing and as Ogg/Opus."""
    assert text.lstrip("> ").startswith(f"🎤 {result.transcript}\n")
    assert re.findall(r"\w+", text) == re.findall(r"\w+", f"{result.transcript} {result.answer}"), (
        "formatted, and whole"
    )
    with av.open(io.BytesIO(voice)) as sound:
        assert (sound.format.name, [stream.codec_context.name for stream in sound.streams]) == ("ogg", ["opus"])
    assert result.reply
    assert seconds_of(decode(voice, MOST_SECONDS)) == pytest.approx(result.reply.seconds, abs=0.1)


async def served(june: June, role: Role) -> None:
    """See that june's bot asks for work."""
    async with asyncio.timeout(HTTP_SECONDS):
        found = await check_queue(june.client, role)
    assert found.ok, found.advice
