"""Discord's menus of commands: the slash commands, and what can be done with a message."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from activities.values import Notice
from bots.commands import FOR_ALL, FOR_OWNERS, description
from bots.discord.events import log_skipped
from bots.discord.log import log_failure
from bots.texts.catalogue import LANGUAGES, say

ANSWER = "menu-answer"
"""Key of the words in a message's menu."""
ARGUMENT = "menu-argument"

_log = logging.getLogger(__name__)

OnCommand = Callable[[discord.Interaction, str, str], Awaitable[None]]
OnTarget = Callable[[discord.Interaction, discord.Message], Awaitable[None]]


class Tree(app_commands.CommandTree):
    """Commands of which one that cannot be read, or fails, costs no other."""

    async def _call(self, interaction: discord.Interaction) -> None:
        try:
            await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001 - recorded; the next command can be read
            log_skipped("a command", {"id": interaction.id}, error)

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Log why a command was not run: one of an earlier june is ordinary, and Discord's refusals are."""
        cause = error.__cause__ if isinstance(error, app_commands.CommandInvokeError) else error
        what = f"a command in channel {interaction.channel_id} was not run"
        log_failure(_log, what, cause or error, (app_commands.AppCommandError, discord.DiscordException, OSError))


def build_menu(client: discord.Client, on_command: OnCommand, on_target: OnTarget) -> app_commands.CommandTree:
    """Build all commands, described in the languages that june speaks.

    Args:
        client: whose menu it is.
        on_command: gets a slash command's name and argument.
        on_target: gets a message that somebody chose june's word for in its menu.

    """
    tree = Tree(client)

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
