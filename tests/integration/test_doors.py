"""The doors of the platforms that are configured: whole turns on the web page; Telegram and Discord by their tokens.

A bot cannot write to itself, so that there it is seen whether the platform knows the bot, and whether june serves it.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from telegram.error import InvalidToken

from activities.audio import decode
from tests.integration.june import HTTP_SECONDS, June
from tests.integration.page import Visitor, visitor
from tests.integration.test_voice_turn import MOST_SECONDS, QUESTION_SAID
from tests.workers.engines.wer import wer
from workers.conversing import QUESTION
from workers.doctor import _check_queue
from workers.kinds import Kind
from workers.platforms.telegram import REFUSED, build_bot
from workers.settings import DiscordSettings, TelegramSettings


@pytest.fixture
async def web(june: June) -> AsyncIterator[Visitor]:
    """Somebody on the page."""
    if not (june.settings.web_url or (june.state and Kind.WEB.program in june.state.ports)):
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
    (again,) = (await web.http.get("/api/turns")).json()["turns"]
    assert (again["transcript"], again["answer"]) == ("What is the capital of France?", turn.answer)


async def test_the_page_keeps_strangers_out(june: June, web: Visitor) -> None:
    async with httpx.AsyncClient(base_url=june.web_url, timeout=HTTP_SECONDS) as stranger:
        assert (await stranger.get("/api/turns")).status_code == 401
        forged = await stranger.post("/api/session", json={}, headers={"Origin": "https://elsewhere.example"})
        assert forged.status_code == 403


async def test_telegram_knows_the_bot_that_june_serves(june: June) -> None:
    settings = TelegramSettings()
    if not settings.token.get_secret_value():
        pytest.skip("there is no Telegram bot: set JUNE_TELEGRAM_TOKEN to the one that june has")
    try:
        async with asyncio.timeout(HTTP_SECONDS):
            me = await build_bot(settings).get_me()
    except InvalidToken:
        pytest.fail(REFUSED, pytrace=False)  # the library's error names the token
    assert me.is_bot
    await served(june, Kind.TELEGRAM)


async def test_discord_knows_the_bot_that_june_serves(june: June) -> None:
    settings = DiscordSettings()
    if not settings.token.get_secret_value():
        pytest.skip("there is no Discord bot: set JUNE_DISCORD_TOKEN to the one that june has")
    async with httpx.AsyncClient(timeout=HTTP_SECONDS) as http:
        me = await http.get(
            f"{settings.api_base.rstrip('/')}/users/@me",
            headers={"Authorization": f"Bot {settings.token.get_secret_value()}"},
        )
    assert me.status_code == 200, "Discord does not take the token (JUNE_DISCORD_TOKEN)"
    assert me.json()["bot"]
    await served(june, Kind.DISCORD)


async def served(june: June, kind: Kind) -> None:
    """See that june's bot asks for work."""
    async with asyncio.timeout(HTTP_SECONDS):
        found = await _check_queue(june.client, kind)
    assert found.ok, found.advice
