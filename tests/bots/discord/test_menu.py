"""The menus say what they are, in the languages of the catalogue."""

from typing import Any
from unittest.mock import AsyncMock

from bots.discord.client import DiscordBot
from bots.discord.menu import Words


async def test_the_menus_are_in_the_languages_of_the_catalogue() -> None:
    bot = DiscordBot(message_content=False, keep=AsyncMock())
    await bot.tree.set_translator(Words())
    payloads = [
        await command.get_translated_payload(bot.tree, bot.tree.translator)  # type: ignore[arg-type]
        for command in bot.tree._get_all_commands()
    ]
    by_name: dict[str, Any] = {payload["name"]: payload for payload in payloads}
    assert by_name["forget"]["description_localizations"]["de"]
    assert by_name["Answer this voice message"]["name_localizations"]["fr"] == "Répondre à ce message vocal"
    assert len([payload for payload in payloads if payload["type"] == 1]) == 19
    names = [name for payload in payloads for name in (payload["name"], *payload["name_localizations"].values())]
    assert max(map(len, names)) <= 32
    assert all(len(text) <= 100 for p in payloads for text in p.get("description_localizations", {}).values())
