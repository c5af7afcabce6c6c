"""What discord.py logs of ordinary events: one line that says what happens next, at a level that alarms nobody."""

import logging
import re
from urllib.parse import urlsplit

import aiohttp
import discord

LOGGERS = (
    *("discord.client", "discord.gateway", "discord.http", "discord.state", "discord.webhook.async"),
    "discord.app_commands.tree",
)
ORDINARY: dict[str, tuple[int, str]] = {
    "Attempting a reconnect in": (logging.WARNING, "no connection to Discord's gateway now; it is tried again"),
    "We are being rate limited": (logging.INFO, "Discord asks to wait; then it is sent"),
    "Webhook ID": (logging.INFO, "Discord asks to wait; then it is sent"),
    "PyNaCl is not installed": (logging.DEBUG, "june needs none"),
    "davey is not installed": (logging.DEBUG, "june needs none"),
}
"""Beginnings of the library's messages: the level that they should have, and what they mean."""
_TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/?\s]+")
"""Whoever has it can answer a command."""


class OneLine(logging.Filter):
    """Folds a record of the library's into one line without a traceback, and takes tokens and servers out of links."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; return whether its level is still of interest."""
        message = next(iter(str(self._message(record)).splitlines()), "")
        cause = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        beginning = next((start for start in ORDINARY if message.startswith(start)), None)
        level, meaning = ORDINARY[beginning] if beginning else (min(record.levelno, logging.WARNING), "")
        if beginning or record.levelno >= logging.WARNING:
            reason = f" ({_named(cause)})" if cause else ""
            record.msg, record.args = (f"{meaning}: {message}" if meaning else message) + reason, ()
            record.exc_info = record.exc_text = record.stack_info = None
            record.levelno, record.levelname = level, logging.getLevelName(level)
        return record.levelno >= logging.getLogger(record.name).getEffectiveLevel()

    @staticmethod
    def _message(record: logging.LogRecord) -> str:
        """Return a record's message, with the paths of its links alone."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        record.args = tuple(map(_without_token, arguments)) if arguments else record.args
        return record.getMessage()


def _without_token(argument: object) -> object:
    if isinstance(argument, str) and argument.startswith(("http://", "https://")):
        return _TOKEN.sub(r"\1…", urlsplit(argument).path)
    return argument


def _named(error: BaseException) -> str:
    """Name an error, with its text only where that speaks of the connection: another may quote what people wrote."""
    told = isinstance(error, OSError | aiohttp.ClientError | discord.DiscordException)
    return f"{type(error).__name__}: {error}" if told and str(error) else type(error).__name__


def calm() -> None:
    """Have the library log what is ordinary in one line each; once is enough."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, OneLine) for known in logger.filters):
            logger.addFilter(OneLine())


def log_failure(
    logger: logging.Logger, what: str, error: BaseException, ordinary: tuple[type[BaseException], ...]
) -> None:
    """Log what a handler raised: in one line if it is ordinary, else as a fault of june's own, with its traceback."""
    if isinstance(error, ordinary):
        logger.warning("%s: %s; the next is handled as ever", what, _named(error))
    else:
        logger.error("%s", what, exc_info=error)
