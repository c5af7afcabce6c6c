"""The ``june`` command."""

import asyncio
import json
import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from workers import network
from workers.bench.cli import app as bench_app
from workers.commands.code import app as code_app
from workers.commands.doctor import examine, print_findings
from workers.commands.keys import app as keys_app
from workers.commands.licences import print_licences
from workers.commands.models import app as models_app
from workers.commands.sbom import LOCK, bill_of_materials
from workers.commands.settings_page import page
from workers.commands.shipped import parts
from workers.commands.talk import run_demo, run_talk
from workers.commands.testruns import app as tests_app
from workers.commands.up import run_up
from workers.errors import ExitCode, JuneError, explain
from workers.process import end_process, run_worker
from workers.roles.role import Role
from workers.settings import PRIVATE

app = typer.Typer(
    name="june",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Voice chat with your own machines: a voice message becomes a voice reply, durably.",
    epilog="Exit codes: 0 done, 1 something is wrong, 2 wrong usage, 3 not running or in the way, 130 interrupted.",
)
app.add_typer(code_app, name="code")
app.add_typer(models_app, name="models")
app.add_typer(keys_app, name="keys")
app.add_typer(tests_app, name="tests")
app.add_typer(bench_app, name="bench")
_console = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]


@app.command()
def up(*, as_json: Json = False) -> None:
    """Run everything on this machine, until Ctrl-C.

    Starts Temporal with its Web UI, the model server, and the workers; starts again what dies.
    """
    asyncio.run(run_up(_console, as_json=as_json))


@app.command()
def talk(
    files: Annotated[list[Path], typer.Argument(help="Audio files; each is one turn.", metavar="FILE...")],
    *,
    chat: Annotated[str, typer.Option(help="Conversation to go on with; by default a new one.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where the reply is written (numbered for several files).")] = None,
    as_json: Json = False,
) -> None:
    """Ask with audio files, and get spoken replies.

    Talks to the june that runs on this machine or at TEMPORAL_ADDRESS; without one, runs june meanwhile.
    With --json prints one object a turn, each on a line of its own.
    """
    raise typer.Exit(asyncio.run(run_talk(_console, files, chat, out, as_json=as_json)))


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Go on running afterwards, to look into the Web UI.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the spoken question that june ships with, and show what happens."""
    raise typer.Exit(asyncio.run(run_demo(_console, keep=keep, as_json=as_json)))


@app.command()
def worker(
    kind: Annotated[Role, typer.Argument(help="What the worker does; each kind has a queue of its own.")],
) -> None:
    """Run one worker, until it is told to stop.

    Temporal's address comes from TEMPORAL_ADDRESS (and the rest of Temporal's environment configuration).
    """
    raise typer.Exit(asyncio.run(run_worker(kind)))


class Bot(StrEnum):
    """The bots, by their platforms."""

    TELEGRAM = Role.TELEGRAM.value
    DISCORD = Role.DISCORD.value
    WEB = Role.WEB.value


@app.command()
def bot(platform: Annotated[Bot, typer.Argument(help="Where people talk to june.")]) -> None:
    """Run one bot, until it is told to stop: messages come in, and replies go out.

    Tokens and who may talk come from the settings (JUNE_TELEGRAM_TOKEN, JUNE_TELEGRAM_OWNERS and the like).
    """
    raise typer.Exit(asyncio.run(run_worker(Role(platform.value))))


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Check models, codecs, ports, the server and the workers, and say what to do."""
    findings = asyncio.run(examine())
    print_findings(findings, as_json=as_json)
    raise typer.Exit(ExitCode.OK if all(finding.ok for finding in findings) else ExitCode.FAULT)


@app.command("settings")
def show_settings() -> None:
    """Print every setting with its default, as Markdown."""
    sys.stdout.write(page())


@app.command()
def licences(*, as_json: Json = False) -> None:
    """List everything that june ships, each with its licence: packages, what they carry, models, files, images."""
    raise typer.Exit(ExitCode.OK if print_licences(parts(), as_json=as_json) else ExitCode.FAULT)


@app.command()
def sbom(
    *,
    lock: Annotated[Path, typer.Option(help="Lock file that has the packages' digests.")] = LOCK,
    out: Annotated[Path | None, typer.Option(help="Where it is written, rather than to stdout.")] = None,
) -> None:
    """Write a software bill of materials of what june ships: CycloneDX 1.6, JSON."""
    text = json.dumps(bill_of_materials(lock), indent=1, ensure_ascii=False) + "\n"
    if out:
        out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def main() -> None:
    """Run the command, and end the process; an expected error becomes one sentence on stderr."""
    code: int = ExitCode.OK
    os.umask(PRIVATE)
    os.environ.update(network.variables(os.environ))  # for whatever this command calls or starts
    try:
        app()
    except (JuneError, ValidationError) as error:  # of settings: pydantic validates nothing else of the command line
        sentence, code = explain(error)
        _console.print(f"june: {sentence}", style="red", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else ExitCode.OK if done.code is None else ExitCode.FAULT
    except Exception:
        logging.getLogger(__name__).exception("june failed")
        code = ExitCode.FAULT
    end_process(code)


if __name__ == "__main__":
    main()
