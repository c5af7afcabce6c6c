"""``june talk`` and ``june demo``: turns on the terminal."""

import asyncio
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from workers.errors import ExitCode
from workers.local.session import QUESTION, TurnReport, default_chat, numbered, open_session, talk
from workers.local.stack import Progress
from workers.roles.role import Role
from workers.settings import StorageSettings

PLAYERS = (("mpv", "--really-quiet"), ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"), ("play", "-q"))
"""Programs that play Ogg/Opus, the first that is installed."""


async def run_talk(console: Console, files: list[Path], chat: str, out: Path | None, *, as_json: bool) -> ExitCode:
    """Send each file in turn, in one conversation; return ``FAULT`` if a turn failed.

    Raises:
        JuneError: a file cannot be read, or june not be reached or started.

    """
    chat, code = chat or default_chat(), ExitCode.OK
    with console.status("starting june", spinner="dots") as status:
        async with open_session(lambda progress: status.update(_starting(progress))) as session:
            for number, file in enumerate(files, 1):
                status.update(f"asking with {file.name}")
                target = numbered(out, number, len(files)) if out else None
                report = await talk(session, file, chat, target)
                _show(console, report, as_json=as_json)
                if report.error:
                    code = ExitCode.FAULT
    return code


async def run_demo(console: Console, *, keep: bool, as_json: bool) -> ExitCode:
    """Send the shipped question; write the reply, and play it where a terminal and a player are at hand.

    Raises:
        JuneError: june could not be reached or started.

    """
    reply = StorageSettings().home / "demo" / "reply.ogg"
    with console.status("starting june", spinner="dots") as status:
        shown = [Role.WEB] if keep else []  # it serves the Web UI
        async with open_session(lambda progress: status.update(_starting(progress)), shown) as session:
            status.update("asking the question that june ships with")
            report = await talk(session, QUESTION, default_chat(), reply)
            status.stop()
            _show(console, report, as_json=as_json)
            player = next((command for command in PLAYERS if shutil.which(command[0])), None)
            if report.reply and not as_json and console.is_terminal and player:
                await (await asyncio.create_subprocess_exec(*player, str(reply))).wait()
            if keep:
                console.print("june goes on running: look into the Web UI, then Ctrl-C.")
                await asyncio.Event().wait()
    if not as_json:
        console.print("To look into it: `june up`, then open the link. To ask: `june talk FILE`.")
    return ExitCode.FAULT if report.error else ExitCode.OK


def _starting(progress: Progress) -> str:
    return f"starting june: {progress.name} is ready after {progress.seconds:.1f} s"


def _show(console: Console, report: TurnReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(report.model_dump_json() + "\n")
        sys.stdout.flush()
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("[bold]heard[/bold]", report.transcript or "—")
    table.add_row("[bold]answer[/bold]", report.answer or "—")
    if report.error:
        table.add_row("[bold red]error[/bold red]", report.error)
    if report.reply:
        table.add_row("[bold]spoken[/bold]", f"{report.reply} ({report.reply_seconds:.1f} s)")
    table.add_row("[bold]time[/bold]", "  ".join(f"{stage} {ms / 1000:.2f} s" for stage, ms in report.ms.items()))
    console.print(table)
    if report.web_ui:
        console.print(f"Web UI: {report.web_ui}", soft_wrap=True)
