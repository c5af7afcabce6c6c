"""Options of ``june tests``: which tests to run, and how."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from activities.testruns.selection import Selection
from activities.values import Address
from workers.settings import DiscordSettings, TelegramSettings
from workflows.testruns.contracts import RunRequest

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]
Run = Annotated[str, typer.Argument(help="A run's name; by default the last.", metavar="[RUN]")]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit's XML to this file.")]
Tests = Annotated[
    list[str] | None, typer.Argument(help="Modules, folders or tests (test_x.py::test_y); all by default.")
]
Keyword = Annotated[str, typer.Option("-k", help="Only tests whose names match, as pytest's -k.")]
Markers = Annotated[str, typer.Option("-m", help="Only tests with such markers, as pytest's -m.")]
Parallel = Annotated[int, typer.Option(help="Modules at once.", min=1, max=16)]
TestSeconds = Annotated[float, typer.Option(help="A test that takes longer is killed.", min=1, max=7200)]
ModuleSeconds = Annotated[float, typer.Option(help="So is a module.", min=1, max=21600)]
Alert = Annotated[list[str] | None, typer.Option(help="Chat that is told of a failure, PLATFORM:CHAT; repeatable.")]

NO_MESSAGE = "0"
"""An alert answers no message; the run makes an id up."""
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def request_of(
    tests: list[str] | None, keyword: str, markers: str, alerts: tuple[Address, ...], **limits: float
) -> RunRequest:
    """Build a request from the options.

    Raises:
        typer.BadParameter: it is no selection of tests, or names more chats than a run alerts.

    """
    try:
        selection = Selection(tests=tuple(tests or ()), keyword=keyword, markers=markers)
        return RunRequest.model_validate({"selection": selection, "alerts": alerts} | limits)
    except ValidationError as error:
        wrong = "; ".join(f"{problem['input']!r}: {problem['msg']}" for problem in error.errors())
        raise typer.BadParameter(f"This is no run of tests ({wrong}).") from None


def chats_of(given: list[str] | None) -> tuple[Address, ...]:
    """Parse chats to alert, ``PLATFORM:CHAT``.

    Raises:
        typer.BadParameter: one of them is no chat.

    """
    chats = []
    for text in given or ():
        platform, _, chat = text.partition(":")
        try:
            chats.append(Address(platform=platform, chat=chat, message=NO_MESSAGE))
        except ValidationError:
            message = f"{text!r} is no chat: name it as PLATFORM:CHAT, such as telegram:11111111."
            raise typer.BadParameter(message) from None
    return tuple(chats)


def owners_chats() -> tuple[Address, ...]:
    """Return the owners' private chats: on Telegram by their own ids, on Discord as ``@`` and the owner's id."""
    telegram = [("telegram", owner) for owner in TelegramSettings().owners]
    discord = [("discord", f"@{owner}") for owner in DiscordSettings().owners]
    return tuple(Address(platform=platform, chat=chat, message=NO_MESSAGE) for platform, chat in telegram + discord)


def span_of(text: str) -> timedelta | None:
    """Parse ``30m``, ``6h``, ``1d``; return None for an empty text.

    Raises:
        typer.BadParameter: it is no span of time.

    """
    if not text:
        return None
    number, unit = text[:-1], UNITS.get(text[-1])
    if unit is None or not number.isdecimal() or not int(number):
        raise typer.BadParameter(f"{text!r} is no span of time: write 30m, 6h or 1d.")
    return int(number) * unit
