"""Take the documentation's pictures of a long answer on Telegram, on Discord and on the page anew.

It needs Chromium, and a font with emoji.
There is no client of Telegram or Discord here: what a server over TCP has got from june is drawn, by the formatting
that Telegram's entities and Discord's Markdown stand for.
"""

import asyncio
import html
import os
import re
import sys
from pathlib import Path
from typing import Literal

import discord
from discord.http import Route
from markdown_it import MarkdownIt
from playwright.async_api import Browser, ViewportSize
from telegram import Message
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.blobs import BlobStore
from activities.infer import Inference, InferRequest
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.discord.signed_links import SignedLinks
from activities.platforms.platform import MessageText
from activities.platforms.telegram.platform import TelegramPlatform
from activities.values import Address
from tests.support.chromium import chromium
from tests.support.encryption import CONVERTER
from tests.support.long_answer import ANSWER, QUESTION
from tests.support.page_browser import answered, open_page, write
from tests.support.page_talk import TalkPage
from tests.support.platforms import discord as discord_server
from tests.support.platforms.discord_world import TOKEN as DISCORD_TOKEN
from tests.support.platforms.telegram import TOKEN, BotApi
from tests.support.world import World, running
from workers.roles.discord import point
from workers.roles.telegram import build_bot
from workers.settings import PROJECT, DiscordSettings, TelegramSettings
from workflows.names import SEARCH_ATTRIBUTES

FOLDER = PROJECT / "docs" / "images"
TEMPORAL = Path(sys.prefix) / "bin" / "temporal"
CHAT = 5
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
STYLES = {
    "telegram": """
        body { margin: 0; padding: 12px; width: 420px; background: #c9dbc1; font: 15px/1.35 system-ui, sans-serif; }
        .message { background: #fff; border-radius: 14px 14px 14px 4px; padding: 8px 12px; margin: 0 28px 8px 0;
            white-space: pre-wrap; overflow-wrap: anywhere; }
        blockquote { margin: 0 0 2px; padding: 4px 8px; border-left: 3px solid #3a8ee6; background: #3a8ee61a;
            border-radius: 4px; }
        pre { margin: 4px 0; padding: 8px; background: #f0f2f5; border-radius: 6px; font: 12.5px/1.4 monospace;
            white-space: pre-wrap; }
        code { font-family: monospace; color: #b3261e; } pre code { color: inherit; } a { color: #2678b6; }""",
    "discord": """
        body { margin: 0; padding: 16px; width: 640px; background: #313338; color: #dbdee1;
            font: 15px/1.4 system-ui, sans-serif; }
        .message { margin-bottom: 14px; } p { margin: 0 0 10px; } small { color: #949ba4; } a { color: #00a8fc; }
        blockquote { margin: 0 0 8px; padding-left: 10px; border-left: 4px solid #4e5058; }
        blockquote p { margin: 0; } h1, h2, h3 { margin: 12px 0 6px; font-size: 19px; } ol, ul { margin: 0 0 10px; }
        pre { margin: 6px 0 10px; padding: 8px; background: #2b2d31; border: 1px solid #1e1f22; border-radius: 4px;
            font: 13px/1.35 monospace; white-space: pre-wrap; }
        code { background: #2b2d31; font-family: monospace; }""",
}


async def telegram_messages() -> list[str]:
    """Send the answer to a Bot API server; return each message as HTML."""
    async with BotApi() as api:
        bot = build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": api.url}))
        async with bot:
            to = Address(platform="telegram", chat=str(CHAT), message="1")
            await TelegramPlatform(bot).send_text(to, MessageText(ANSWER, QUESTION))
        chat = {"id": CHAT, "type": "private"}
        posts = [
            {"message_id": 1, "date": 1, "chat": chat, "text": post.text, "entities": post.entities}
            for post in api.by_bot(CHAT)
        ]
    # A quotation and a block of code end their line themselves.
    return [re.sub(r"(</blockquote>|</pre>)\n", r"\1", Message.de_json(post, None).text_html) for post in posts]


async def discord_messages() -> list[str]:
    """Send the answer to a Discord server; return each message as HTML."""
    before = Route.BASE
    async with discord_server.running() as fake:
        point(DiscordSettings(api_base=f"{fake.base}/api/v10"))
        client = discord.Client(intents=discord.Intents.none())
        await client.login(DISCORD_TOKEN)
        person = fake.world.person("Mia")
        chat = fake.world.private(person)
        asked = fake.world.post(chat, person, {"content": QUESTION}, [])
        platform = DiscordPlatform(client.http, SignedLinks(BlobStore.open("memory://")))
        to = Address(platform="discord", chat=chat, message=asked["id"])
        await platform.send_text(to, MessageText(ANSWER, QUESTION))
        contents = [message["content"] for message in fake.sent(chat)]
        await client.close()
    Route.BASE = before
    dialect = MarkdownIt("commonmark", {"breaks": True, "html": False}).enable("strikethrough")
    return [re.sub(r"-# (.+)", r"<small>\1</small>", dialect.render(content)) for content in contents]


async def picture(browser: Browser, name: str, messages: list[str]) -> None:
    """Draw messages below each other."""
    page = await browser.new_page(device_scale_factor=1.5)
    bubbles = "".join(f'<div class="message">{message}</div>' for message in messages)
    await page.set_content(f"<!doctype html><title>{html.escape(name)}</title><style>{STYLES[name]}</style>{bubbles}")
    box = await page.locator("body").bounding_box()
    assert box
    await page.set_viewport_size({"width": int(box["width"]), "height": 1100})
    await page.screenshot(path=FOLDER / f"{name}.png")
    await page.close()


async def picture_page(browser: Browser) -> None:
    """Ask the question on june's page, over a model that answers just this: desktop and phone, light and dark."""
    answer = Inference(answer=ANSWER, sentences=("Sourdough in short.",), model="double", finish_reason="stop")

    async def infer(_request: InferRequest) -> Inference:
        return answer

    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL), dev_server_log_level="error", search_attributes=list(SEARCH_ATTRIBUTES)
    )
    async with environment:
        address = environment.client.service_client.config.target_host
        client = await Client.connect(address, data_converter=CONVERTER)
        async with running(client, World(), platform="web") as world:
            served = TalkPage(world, client)
            world.behaviours["infer"] = infer
            await served.start()
            for name, size in SIZES.items():
                for scheme in ("light", "dark"):
                    await _picture_answer(browser, served.url, f"web-{name}-{scheme}", size, scheme)
            await served.stop()


async def _picture_answer(
    browser: Browser, url: str, name: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    page = await browser.new_page(viewport=size, color_scheme=scheme, device_scale_factor=1.5)
    await open_page(page, url)
    await write(page, QUESTION)
    await answered(page, 1)
    await page.locator(".said").first.scroll_into_view_if_needed()
    await page.mouse.move(size["width"] / 2, size["height"] / 3)
    await page.evaluate("scrollTo({ top: 0 })")
    await page.wait_for_timeout(500)  # transitions
    await page.screenshot(path=FOLDER / f"{name}.png")
    await page.close()


async def take() -> None:
    """Take all of them."""
    async with chromium() as browser:
        await picture(browser, "telegram", await telegram_messages())
        await picture(browser, "discord", await discord_messages())
        await picture_page(browser)


if __name__ == "__main__":
    asyncio.run(take())
    # The SDK's threads may abort the interpreter while it ends (temporalio/sdk-python issue 300).
    os._exit(0)
