"""Discord's menus of commands: the slash commands, and what can be done with a message."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from activities.values import Notice
from bots.commands import FOR_ALL, FOR_OWNERS, description
from bots.texts.catalogue import LANGUAGES, say

ANSWER = "menu-answer"
"""Key of the words in a message's menu."""
ARGUMENT = "menu-argument"

OnCommand = Callable[[discord.Interaction, str, str], Awaitable[None]]
OnTarget = Callable[[discord.Interaction, discord.Message], Awaitable[None]]


def build_menu(client: discord.Client, on_command: OnCommand, on_target: OnTarget) -> app_commands.CommandTree:
    """Build all commands, described in the languages that june speaks.

    Args:
        client: whose menu it is.
        on_command: gets a slash command's name and argument.
        on_target: gets a message that somebody chose june's word for in its menu.

    """
    tree: app_commands.CommandTree = app_commands.CommandTree(client)

    def slash(name: str) -> app_commands.Command[Any, Any, Any]:
        async def run(interaction: discord.Interaction, argument: str = "") -> None:
            await on_command(interaction, name, argument)

        words = _words(f"command-{name}", description(name, None))
        command: app_commands.Command[Any, Any, Any] = app_commands.Command(name=name, description=words, callback=run)
        app_commands.describe(argument=_words(ARGUMENT))(command)
        return command

    async def answer(interaction: discord.Interaction, message: discord.Message) -> None:
        await on_target(interaction, message)

    for name in (*FOR_ALL, *FOR_OWNERS):
        tree.add_command(slash(name))
    tree.add_command(app_commands.ContextMenu(name=_words(ANSWER), callback=answer))
    return tree


def _words(key: str, text: str | None = None) -> app_commands.locale_str:
    return app_commands.locale_str(text or say(Notice(key=key), None), key=key)


class Words(app_commands.Translator):
    """Words of the menus in the languages of the catalogue."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - the library's interface
    ) -> str | None:
        """Find the words by their key; None leaves the English ones."""
        key, language = string.extras.get("key"), locale.value[:2]
        if key is None or language == "en" or language not in LANGUAGES:
            return None
        return say(Notice(key=key), language)
